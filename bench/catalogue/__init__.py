"""Synthetic catalogues and how fast they are searched: ``python -m bench.catalogue --help``."""
