"""Pages for administrators, who need no shell for daily work."""
