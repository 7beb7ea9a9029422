"""Lines to paste into a program, with this server's address in them."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.web.pages.i18n import gettext as _


def dclab_lines(host: str, resource_id: str, *, token: bool) -> str:
    """Python that opens a resource as `ds`, with the server's certificate in the file that the connect page offers.

    Without its name dclab trusts the world's authorities alone, neither a certificate of the server's own nor a hospital's.
    """
    key = ', api_key="YOUR-API-TOKEN"' if token else ""
    return (
        "from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR\n"
        f'ds = RTDC_DCOR("{resource_id}", host="{host}"{key}, cert_path="server.cert")'
    )


def of_resource(file: sqlite3.Row, site_url: str, *, private: bool, measurement: bool) -> list[dict[str, Any]]:
    """How to open one resource from elsewhere."""
    host = site_url.removeprefix("https://")
    found = []
    if measurement:
        lines = [dclab_lines(host, file["id"], token=private), 'print(ds["deform"][:10])']
        found.append({"title": "dclab (Python)", "code": "\n".join(lines)})
        found.append(
            {"title": _("DCscope / Shape-Out: File, Load DCOR data, server %(host)s", host=host), "code": file["id"]}
        )
    header = ' -H "Authorization: YOUR-API-TOKEN"' if private else ""
    found.append(
        {
            "title": _("Command line"),
            "code": f'curl -C - -O{header} "{site_url}/dataset/{file["dataset_id"]}/resource/{file["id"]}/download/{file["name"].lower()}"',
        }
    )
    return found
