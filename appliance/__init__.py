"""The single-node appliance edition of DCOR."""

__version__ = "0.1.0"
