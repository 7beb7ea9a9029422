"""Lines to paste into a program, with this server's address in them."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _

#: Where a program that runs the lines has the server's certificate: the folder it runs in.
_IN_THIS_FOLDER = N_("from the page Connect, in this folder")


def certificate_file(host: str) -> str:
    """Name of the file with the server's certificate, as the page Connect gives it. `host` may have a port."""
    return host.partition(":")[0] + ".cert"


def dclab_lines(host: str, resource_id: str, *, token: bool) -> str:
    """Python that opens a resource as `ds`, with the server's certificate in the folder it runs in.

    dclab knows addresses of DCOR only without a port. For answers of DCOR it trusts certificates in files of the servers' names,
    for the files themselves what REQUESTS_CA_BUNDLE names, else the world's authorities alone (and tries a hundred times).
    """
    lines = _trusting(host)
    if ":" in host:
        key = ', api_key="YOUR-API-TOKEN"' if token else ""
        lines += [
            "from dclab.rtdc_dataset.fmt_dcor import RTDC_DCOR",
            f'ds = RTDC_DCOR("{resource_id}", host="{host}"{key}, cert_path="{certificate_file(host)}")',
        ]
        return "\n".join(lines)
    lines += ["import dclab", "from dclab.rtdc_dataset.fmt_dcor import DCOR_CERTS_SEARCH_PATHS"]
    if token:
        lines += ["from dclab.rtdc_dataset.fmt_dcor.api import APIHandler", 'APIHandler.add_api_key("YOUR-API-TOKEN")']
    lines.append(f'DCOR_CERTS_SEARCH_PATHS.append(".")  # {_("this folder")}')
    return "\n".join([*lines, f'ds = dclab.new_dataset("https://{host}/api/3/action/dcserv?id={resource_id}")'])


def ckanapi_lines(url: str) -> str:
    """Python that asks the action API with a token."""
    return "\n".join(
        [
            *_trusting(url.removeprefix("https://")),
            "from ckanapi import RemoteCKAN",
            f'ckan = RemoteCKAN("{url}", apikey="YOUR-API-TOKEN")',
            'print(ckan.action.package_search(q="blood", include_private=True)["count"])',
        ]
    )


def _trusting(host: str) -> list[str]:
    """Python that makes requests trust the server: by the environment, which would override what a session is told."""
    return ["import os", f'os.environ["REQUESTS_CA_BUNDLE"] = "{certificate_file(host)}"  # {_(_IN_THIS_FOLDER)}']


def curl_line(url: str, path: str, *, token: bool, options: str = "") -> str:
    """A command that gets `path`; a refusal ends it with an error and leaves what is there of the file as it is."""
    given = ' -H "Authorization: YOUR-API-TOKEN"' if token else ""
    certificate = certificate_file(url.removeprefix("https://"))
    return f'curl --fail --cacert {certificate}{options}{given} "{url}{path}"'


def of_resource(file: sqlite3.Row, site_url: str, *, token: bool, measurement: bool) -> list[dict[str, Any]]:
    """How to open one resource from elsewhere. :param token: is one needed?"""
    host = site_url.removeprefix("https://")
    found = []
    if measurement:
        lines = [dclab_lines(host, file["id"], token=token), 'print(ds["deform"][:10])']
        found.append({"title": "dclab (Python)", "code": "\n".join(lines)})
        found.append(
            {"title": _("DCscope / Shape-Out: File, Load DCOR data, server %(host)s", host=host), "code": file["id"]}
        )
    path = f"/dataset/{file['dataset_id']}/resource/{file['id']}/download/{file['name'].lower()}"
    found.append({"title": _("Command line"), "code": curl_line(site_url, path, token=token, options=" -C - -O")})
    return found
