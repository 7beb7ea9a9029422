"""The network layer: gateway, transfers, the CKAN-compatible API, the pages."""
