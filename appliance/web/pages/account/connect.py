"""How to connect programs to this server, with its own values filled in; the certificate and the scripts that install it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from appliance.model.problem import Problem
from appliance.security import client_setup
from appliance.tls import certificate
from appliance.tls import chain as certificate_chain
from appliance.web.pages.dataset import snippets
from appliance.web.pages.frame import format as show
from appliance.web.pages.frame.allow import allow
from appliance.web.pages.frame.base import settings, viewer
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.render import render

bp = Blueprint("connect", __name__)


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
        own_name=who.name,
        certificate=_certificate(),
        system=_system(request.headers.get("User-Agent", "")),
        dclab=_dclab(host),
        ckanapi=snippets.ckanapi_lines(url),
        curl=snippets.curl_line(url, "/api/3/action/status_show", token=True),
        cert_name=snippets.certificate_file(host),
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
    return snippets.dclab_lines(host, "RESOURCE-ID", token=True) + '\nprint(ds.config["experiment"], ds["deform"][:10])'


@bp.get("/connect/server.cert")
@allow("open")
def server_certificate() -> Response:
    """The served certificate with its chain (PEM)."""
    return _download(_pem(), "application/x-pem-file", snippets.certificate_file(settings().server.hostname))


@bp.get("/connect/client-setup.zip")
@allow("open")
def setup_files() -> Response:
    """The scripts that make the programs of one user trust this server, with the certificate, for all systems."""
    chain = certificate.load_chain(settings().certificate)
    server = settings().server
    made = client_setup.setup_files(
        server.hostname,
        settings().site_url,
        certificate.chain_pem(chain),
        certificate_chain.known_authorities(),
        certificate.describe(chain).fingerprint,
    )
    data = client_setup.as_zip(made, f"dcor-{server.hostname}")
    return _download(data, "application/zip", f"dcor-{server.hostname}.zip")


def _pem() -> bytes:
    return certificate.chain_pem(certificate.load_chain(settings().certificate))


def _download(data: bytes, kind: str, name: str) -> Response:
    return Response(data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
