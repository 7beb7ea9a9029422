"""A real CKAN with DCOR's extensions, to pull from and push to."""
