"""From transactions to batches."""
