"""The metadata database and the depot of files. The only layer that contains SQL."""
