"""Pages about circles and collections."""
