"""Pages for administrators: run the place without a shell."""
