"""Batches into MongoDB, each exactly once."""
