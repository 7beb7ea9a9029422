"""`dcor certificate`: show, create, request, install, export, check."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from appliance.actions import certificates
from appliance.cli.common import (
    CliState,
    FilePath,
    as_caller,
    confirm,
    details,
    emit,
    json_option,
    note,
    pass_state,
    read_password,
    yes_option,
)
from appliance.cli.inputs import read_file
from appliance.model.problem import Problem, invalid
from appliance.model.viewer import OPERATOR
from appliance.security.secrets import write_private
from appliance.settings import Settings
from appliance.store import audit
from appliance.tls import certificate
from appliance.tls import chain as certificate_chain
from appliance.tls import names as certificate_names

_PATH = FilePath()
_names_option = click.option("--name", "names", multiple=True, help="Another host name or IP address; repeatable.")
_key_type_option = click.option(
    "--key-type", type=click.Choice(certificate.KEY_TYPES), default="p256", show_default=True, help="Kind of the key."
)


@click.group("certificate")
def group() -> None:
    """The TLS certificate: show, create, request, install, export."""


@group.command("show")
@json_option
@pass_state
def show(state: CliState, as_json: bool) -> int:
    """Show the served certificate and what is wrong with it. Exit code 1 when something is."""
    settings = state.settings
    about = certificate.describe(certificate.load_chain(settings.certificate)).as_dict()
    about["problems"] = certificates.findings(settings)
    emit(about, as_json, details)
    return int(bool(about["problems"]))


@group.command("create")
@_names_option
@_key_type_option
@click.option("--days", type=click.IntRange(1, 36500), default=certificate.DAYS, show_default=True, help="Life.")
@click.option("--try-out", is_flag=True, help="Accept localhost, and put a port other than 443 into the certificate.")
@yes_option
@pass_state
def create(state: CliState, names: tuple[str, ...], key_type: str, days: int, try_out: bool, yes: bool) -> None:
    """Create a self-signed certificate in place of the current one. All access files must then be created anew."""
    state.require_root()
    settings = state.settings
    wanted = certificate_names.names_for(
        settings.server.hostname,
        port=settings.server.port,
        extra=names or _other_names(settings),
        try_out=try_out or _is_try_out(settings),
    )
    if settings.certificate.exists():
        confirm("Clients and access files trust only the current certificate. Replace it?", yes)
    _put(state, certificate.create_self_signed(wanted, key_type=key_type, days=days), "certificate.create")


@group.command("request")
@_names_option
@_key_type_option
@click.option("--out", type=_PATH, help="Write the request to this file instead of stdout.")
@click.option("--renew", is_flag=True, help="Create a new key; a request sent earlier becomes useless.")
@pass_state
def request(state: CliState, names: tuple[str, ...], key_type: str, out: Path | None, renew: bool) -> None:
    """Create a signing request (CSR) for the hospital's authority. The current certificate stays in use in the meantime."""
    state.require_root()
    settings = state.settings
    csr, key = _request_files(settings)
    if renew or not (csr.exists() and key.exists()):
        wanted = certificate_names.names_for(settings.server.hostname, extra=names or _other_names(settings))
        pair = certificate.create_request(wanted, key_type=key_type)
        write_private(key, pair.key)
        write_private(csr, pair.chain, 0o644)
        _note_audit(state, "certificate.request")
    elif names:
        raise invalid(message="There is already a request. --renew creates one with other names.")
    text = csr.read_text(encoding="ascii")
    if out is None:
        click.echo(text, nl=False)
    else:
        with as_caller():
            out.write_text(text, encoding="ascii")
    note("Send it to the authority; then: dcor certificate install FILE")


@group.command("install")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option("--key", type=_PATH, help="The private key.  [default: that of the request, or the current one]")
@click.option("--password-stdin", is_flag=True, help="Read the password of the key or .pfx file from stdin.")
@json_option
@pass_state
def install(state: CliState, files: tuple[Path, ...], key: Path | None, password_stdin: bool, as_json: bool) -> None:
    """Serve the certificate in FILES (PEM, DER, .p7b or .pfx, one or several, mixed; with its chain, in any order) after checking it.

    A running service uses it within seconds; transfers in progress continue.
    """
    state.require_root()
    settings = state.settings
    password = read_password(True) if password_stdin else None
    with as_caller():
        data = [read_file(path) for path in files]
        given = read_file(key) if key is not None else None
    ready = _checked(settings, data, [given] if given is not None else _own_keys(settings), password)
    _put(state, ready.pair, "certificate.install")
    for path in _request_files(settings):
        path.unlink(missing_ok=True)
    about = certificate.describe(certificate.load_chain(settings.certificate)).as_dict() | {"warnings": ready.warnings}
    emit(about, as_json, details)


@group.command("export")
@click.option("--out", type=_PATH, help="Write to this file instead of stdout.")
@pass_state
def export(state: CliState, out: Path | None) -> None:
    """Write the certificate with its chain (PEM, without the key), for clients to trust."""
    text = certificate.chain_pem(certificate.load_chain(state.settings.certificate)).decode("ascii")
    if out is None:
        click.echo(text, nl=False)
    else:
        with as_caller():
            out.write_text(text, encoding="ascii")


@group.command("check")
@json_option
@pass_state
def check(state: CliState, as_json: bool) -> int:
    """Check the certificate as the timer and the running service do: raises an alarm 30, 14, 7 and 1 days before it expires.

    Exit code 1 when something is wrong. The service mails alarms, within an hour.
    """
    found, new = certificates.watch(state.db, state.settings)
    emit(
        {"problems": found, "new_alarm": new},
        as_json,
        lambda _: "\n".join(found) or "The certificate is valid.",
    )
    return int(bool(found))


def _checked(
    settings: Settings, data: Sequence[bytes], keys: list[bytes], password: str | None
) -> certificate_chain.Installable:
    """The first of `keys` that belongs to the certificate decides; its reason is told when none does."""
    host = settings.server.hostname
    refusal: Problem | None = None
    for key in keys:
        try:
            return certificate_chain.check(
                data, key, host, password=password, authorities=certificate_chain.known_authorities()
            )
        except Problem as problem:
            if refusal is None or "belongs to the private key" in str(refusal):
                refusal = problem
    raise refusal or invalid(message="There is no private key for this certificate: specify it with --key.")


def _own_keys(settings: Settings) -> list[bytes]:
    found = [_request_files(settings)[1], settings.certificate_key]
    return [path.read_bytes() for path in found if path.exists()]


def _other_names(settings: Settings) -> tuple[str, ...]:
    """The further names of the present certificate, so that a new one serves the same clients."""
    try:
        about = certificate.describe(certificate.load_chain(settings.certificate))
    except Problem:
        return ()
    return tuple(name for name in (*about.dns, *about.ips) if name != settings.server.hostname and "*" not in name)


def _is_try_out(settings: Settings) -> bool:
    """Does the present certificate carry a port in its common name?"""
    try:
        return ":" in certificate.describe(certificate.load_chain(settings.certificate)).common_name
    except Problem:
        return False


def _request_files(settings: Settings) -> tuple[Path, Path]:
    folder = settings.certificate.parent
    return folder / "request.csr", folder / "request.key"


def _put(state: CliState, pair: certificate.Pair, action: str) -> None:
    settings = state.settings
    certificate.store(pair, settings.certificate, settings.certificate_key)
    about = certificate.describe(certificate.load_chain(settings.certificate))
    _note_audit(state, action, fingerprint=about.fingerprint)
    note(f"{about.common_name}, {about.key_type}, until {about.not_after:%Y-%m-%d}. SHA-256 {about.fingerprint}")
    note("Hand it out: dcor access create (DCOR-Aid), dcor client-setup (scripts), dcor certificate export.")


def _note_audit(state: CliState, action: str, **detail: Any) -> None:
    with state.db.write() as tx:
        audit.add(tx, OPERATOR, action, "certificate", state.settings.server.hostname, **detail)
