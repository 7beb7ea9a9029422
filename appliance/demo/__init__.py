"""Synthetic but realistic RT-DC measurements for the demo data set and for tests.

Writes HDF5, so it runs in a process of its own: `python -m appliance.demo.synthetic OUT.rtdc --events 1000`.
"""
