"""Comparing two commits."""
