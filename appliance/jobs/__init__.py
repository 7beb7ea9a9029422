"""Jobs: what happens to a file after its upload, and the care of the data root.

The `job` table is the truth; huey carries ids to worker threads; HDF5 is parsed only in sandboxed child processes.
"""
