"""From MySQL's values to BSON's, type by type."""
