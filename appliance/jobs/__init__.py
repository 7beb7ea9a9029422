"""Jobs: processing of files after their upload, and maintenance of the data root.

The `job` table is authoritative; huey carries ids to worker threads; HDF5 is parsed only in sandboxed child processes.
"""
