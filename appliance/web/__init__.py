"""The network side: gateway, transfers, the CKAN-compatible API, the pages."""
