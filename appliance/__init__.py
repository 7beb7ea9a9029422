"""The single-node appliance edition of DCOR."""

__version__ = "0.2.0"
