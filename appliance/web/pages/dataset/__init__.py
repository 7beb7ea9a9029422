"""Pages about datasets and their files."""
