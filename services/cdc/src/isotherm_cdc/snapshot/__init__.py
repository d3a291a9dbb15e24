"""Reading tables while they change."""
