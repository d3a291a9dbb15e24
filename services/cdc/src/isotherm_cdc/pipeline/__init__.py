"""From what the source says to batches for MongoDB; pure."""
