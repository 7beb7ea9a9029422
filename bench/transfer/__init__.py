"""Bulk transfers, measured against nginx and against the limits of the machine: ``python -m bench.transfer``."""
