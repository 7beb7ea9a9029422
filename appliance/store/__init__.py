"""Everything that is kept: the metadata database and the depot of files. The only place with SQL."""
