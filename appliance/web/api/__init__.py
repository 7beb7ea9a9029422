"""The CKAN-compatible action API. CKAN's words end here; nothing below speaks them."""
