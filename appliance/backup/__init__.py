"""Backups: create, verify, restore, retain and remove."""
