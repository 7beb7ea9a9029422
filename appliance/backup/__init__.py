"""Backups: created, verified, restored, kept and removed."""
