"""Lines to paste into a program, with this server's address in them."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.web.pages.i18n import gettext as _


def of_resource(file: sqlite3.Row, site_url: str, *, private: bool, measurement: bool) -> list[dict[str, Any]]:
    """How to open one resource from elsewhere."""
    host = site_url.removeprefix("https://")
    found = []
    if measurement:
        lines = ["import dclab"]
        if private:
            lines += [
                "from dclab.rtdc_dataset.fmt_dcor.api import APIHandler",
                'APIHandler.add_api_key("YOUR-API-TOKEN")',
            ]
        lines += [
            f'ds = dclab.new_dataset("{site_url}/api/3/action/dcserv?id={file["id"]}")',
            'print(ds["deform"][:10])',
        ]
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
