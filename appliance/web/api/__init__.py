"""The CKAN-compatible action API. CKAN's words end here; nothing below speaks them.

Importing this package declares every action.
"""

from appliance.web.api import (
    communities,
    datasets,
    dcserv,
    following,
    gates,
    members,
    resources,
    site,
    statistics,
    users,
)

__all__ = [
    "communities",
    "datasets",
    "dcserv",
    "following",
    "gates",
    "members",
    "resources",
    "site",
    "statistics",
    "users",
]
