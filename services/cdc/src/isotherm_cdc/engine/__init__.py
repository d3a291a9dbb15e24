"""The threads around the pure pipeline, one responsibility each."""
