"""Names, rules and values of DCOR, without SQL, Flask or HDF5."""
