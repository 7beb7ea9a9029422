"""Lines to paste into a program, with this server's address in them."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.web.pages.frame.i18n import gettext as _


def dclab_lines(host: str, resource_id: str, *, token: bool) -> str:
    """Python that opens a resource as `ds`, with the server's certificate in the folder it runs in.

    dclab knows addresses of DCOR only without a port, and follows references from file to file to them; on its way it trusts
    certificates of servers in files of their names, else the world's authorities alone (and tries a hundred times). With a
    port, as a try-out has it, address and certificate are said in so many words.
    """
    key = 'api_key="YOUR-API-TOKEN"'
    if ":" in host:
        given = f', {key}, cert_path="server.cert"' if token else ', cert_path="server.cert"'
        return (
            f'from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR\nds = RTDC_DCOR("{resource_id}", host="{host}"{given})'
        )
    lines = ["import dclab", "from dclab.rtdc_dataset.fmt_dcor import DCOR_CERTS_SEARCH_PATHS"]
    if token:
        lines += ["from dclab.rtdc_dataset.fmt_dcor.api import APIHandler", 'APIHandler.add_api_key("YOUR-API-TOKEN")']
    lines.append(f'DCOR_CERTS_SEARCH_PATHS.append(".")  # the folder with {host}.cert')
    return "\n".join([*lines, f'ds = dclab.new_dataset("https://{host}/api/3/action/dcserv?id={resource_id}")'])


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
