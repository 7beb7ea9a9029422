"""What the appliance does with the content of RT-DC files.

Everything here runs in the sandboxed child process only (it imports h5py, dclab, numpy). `tasks` holds the entry points;
`errors` is the one module that the parent may import.
"""
