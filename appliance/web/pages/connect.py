"""How to connect programs to this server, with its own values filled in; the certificate and the scripts that install it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.model.problem import Problem, not_found
from appliance.security import certificate
from appliance.web.pages import client_scripts
from appliance.web.pages import format as show
from appliance.web.pages.allow import allow
from appliance.web.pages.base import settings, viewer
from appliance.web.pages.i18n import gettext as _
from appliance.web.pages.render import render

bp = Blueprint("connect", __name__)
_SCRIPTS = {"windows.ps1": client_scripts.windows, "macos.sh": client_scripts.macos, "linux.sh": client_scripts.linux}


@bp.get("/connect")
@allow("open")
def page() -> str:
    """Steps for each program."""
    url = settings().site_url
    host = url.removeprefix("https://")
    who = viewer()
    return render(
        "site/connect.html",
        title=_("Connect"),
        host=host,
        url=url,
        tokens_url=f"/user/{who.name}/api-tokens" if not who.anonymous else "/user/login?next=/connect",
        access_file=settings().policy.own_access_files and not who.anonymous,
        account=who.name,
        certificate=_certificate(),
        system=_system(request.headers.get("User-Agent", "")),
        dclab=_dclab(host),
        ckanapi=_ckanapi(url),
        curl=f'curl --cacert {_file_name(host)} -H "Authorization: YOUR-API-TOKEN" {url}/api/3/action/status_show',
        cert_name=_file_name(host),
    )


def _certificate() -> dict[str, Any] | None:
    try:
        found = certificate.describe(certificate.load_chain(settings().certificate))
    except Problem:
        return None
    return {
        "fingerprint": found.fingerprint,
        "names": ", ".join((*found.dns, *found.ips)),
        "until": show.date(found.not_after.replace(tzinfo=None).isoformat()),
        "self_signed": found.self_signed,
    }


def _system(agent: str) -> str:
    for mark, name in (("Windows", "windows"), ("Mac OS", "macos"), ("Linux", "linux")):
        if mark in agent:
            return name
    return "windows"


def _dclab(host: str) -> str:
    return (
        "import dclab\n"
        "from dclab.rtdc_dataset.fmt_dcor.api import APIHandler\n\n"
        'APIHandler.add_api_key("YOUR-API-TOKEN")\n'
        f'ds = dclab.new_dataset("https://{host}/api/3/action/dcserv?id=RESOURCE-ID")\n'
        'print(ds.config["experiment"], ds["deform"][:10])'
    )


def _ckanapi(url: str) -> str:
    return f'from ckanapi import RemoteCKAN\n\nckan = RemoteCKAN("{url}", apikey="YOUR-API-TOKEN")\nprint(ckan.action.package_search(q="blood", include_private=True)["count"])'


def _file_name(host: str) -> str:
    return host.partition(":")[0] + ".cert"


@bp.get("/connect/server.cert")
@allow("open")
def server_certificate() -> Response:
    """The served certificate with its chain (PEM)."""
    return _download(_pem(), "application/x-pem-file", _file_name(settings().site_url.removeprefix("https://")))


@bp.get("/connect/setup-<name>")
@allow("open")
def setup_script(name: str) -> Response:
    """The script that makes the programs of one user trust this server."""
    if name not in _SCRIPTS:
        raise not_found()
    found = certificate.describe(certificate.load_chain(settings().certificate))
    text = _SCRIPTS[name](settings().site_url, found.fingerprint, _pem())
    if name.endswith(".ps1"):
        text = text.replace("\n", "\r\n")
    return _download(text, "text/plain; charset=utf-8", f"dcor-setup-{name}")


def _pem() -> str:
    return certificate.chain_pem(certificate.load_chain(settings().certificate)).decode("ascii")


def _download(text: str, kind: str, name: str) -> Response:
    return Response(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
