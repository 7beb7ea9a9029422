"""Pages about one's own account, and signing in."""
