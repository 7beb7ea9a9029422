"""Tests that drive a real Chromium; they are skipped where none is installed."""
