"""`dcor init`: make a data root that `dcor serve` can start from; a second run changes nothing that is there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from appliance import root_marker
from appliance import settings as settings_module
from appliance.cli.common import (
    CliState,
    as_caller,
    become_owner,
    emit,
    json_option,
    pass_state,
    read_password,
)
from appliance.model.problem import Problem, invalid
from appliance.settings import Settings

#: A folder with one of these was a data root before; a new one is not made in it.
_PARTS = (
    root_marker.DATABASE,
    root_marker.SETTINGS,
    "secrets/signing.key",
    "certificates/server.key",
    "depot/resources",
)


@click.command("init")
@click.option("--hostname", help="Name under which clients reach this server, e.g. dcor.hospital.example.")
@click.option("--admin", metavar="NAME", help="User name of the first administrator.")
@click.option("--email", help="The admin's e-mail address.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the admin's password from stdin; otherwise a one-time link is printed."
)
@click.option("--name", "names", multiple=True, help="Another host name or IP address for the certificate; repeatable.")
@click.option(
    "--key-type",
    type=click.Choice(["p256", "rsa4096"]),
    default="p256",
    show_default=True,
    help="Kind of the certificate's key.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="HTTPS port.  [default: 443]")
@click.option(
    "--http-port", type=click.IntRange(0, 65535), help="Port that redirects to HTTPS; 0 = none.  [default: 80]"
)
@click.option(
    "--database-folder", metavar="DIR", help="Keep the database in this folder on a local disk, for a data root on NFS."
)
@click.option("--bind", help="Address to listen on.  [default: 0.0.0.0]")
@click.option(
    "--adopt", is_flag=True, help="Adopt an existing data root as the one of this machine (recorded in /etc/dcor)."
)
@click.option("--try-out", is_flag=True, help="For a try-out: accept localhost, put the port into the certificate.")
@json_option
@pass_state
def command(
    state: CliState,
    hostname: str | None,
    admin: str | None,
    email: str | None,
    password_stdin: bool,
    names: tuple[str, ...],
    key_type: str,
    port: int | None,
    http_port: int | None,
    database_folder: str | None,
    bind: str | None,
    adopt: bool,
    try_out: bool,
    as_json: bool,
) -> None:
    """Create the data root: folders, settings, keys, certificate, database, first admin.

    Whatever already exists stays as it is, so the command can be repeated after an interruption or
    an update. A database is created only in a new data root: one that has lost its database, or a mount point
    without its volume, is refused.
    """
    if adopt:
        if any(value is not None for value in (hostname, admin, email, port, http_port, bind)):
            raise click.UsageError("--adopt changes nothing else; use it on its own.")
        emit(_adopt(state), as_json, lambda data: f"{data['data']} is the data root of this machine ({data['noted']}).")
        return
    become_owner(state.data_root)  # what is made in a data root of the service's account belongs to it
    if admin and not email:
        raise click.UsageError("--admin needs --email.")
    password = read_password(True) if password_stdin else None
    flags = {"server.hostname": hostname, "server.port": port, "server.http_port": http_port, "server.bind": bind}
    flags["depot.database_folder"] = database_folder
    done: list[str] = []
    settings = prepare(
        state.data_root,
        {key: value for key, value in flags.items() if value is not None},
        done,
        names=names,
        key_type=key_type,
        try_out=try_out,
    )
    result: dict[str, Any] = {"data": str(state.data_root), "url": settings.site_url, "done": done}
    if admin and email:
        result.update(first_admin(CliState(state.data_root), admin, email, password))
    emit(result, as_json, _text)


def prepare(
    root: Path,
    flags: dict[str, Any],
    done: list[str],
    *,
    names: tuple[str, ...] = (),
    key_type: str = "p256",
    try_out: bool = False,
) -> Settings:
    """Make whatever of the data root is missing; each step taken is appended to `done`. Returns the settings in force.

    :param flags: settings (dotted keys) to write into a new dcor.toml.
    :raises Problem: a host name that clients cannot use, a folder that cannot be written, or flags that contradict dcor.toml.
    """
    from appliance.actions import backups
    from appliance.security import secrets
    from appliance.store import data_root, database_place
    from appliance.store.database import Database
    from appliance.tls import certificate
    from appliance.tls import names as certificate_names

    file = root / "dcor.toml"
    new = _is_new(root)
    if file.exists():
        settings = settings_module.load(root)
        _require_agreement(settings, flags, file)
    else:
        if "server.hostname" not in flags:
            raise click.UsageError("--hostname is needed for a new data root.")
        settings = settings_module.load(root, flags=flags)
    database_place.require_local(Path(settings.depot.database_folder or root) / root_marker.DATABASE)
    pair_names = (
        certificate_names.names_for(settings.server.hostname, port=settings.server.port, extra=names, try_out=try_out)
        if not settings.certificate.exists()
        else None
    )
    try:
        if new:
            root.mkdir(mode=0o750, parents=True, exist_ok=True)
            root_marker.begin(root, settings.server.hostname)
        done += [f"folder {path}" for path in data_root.create(root)]
    except OSError as error:
        raise invalid(message=f"The data root {root} cannot be created: {error.strerror}.") from error
    if not file.exists():
        settings_module.write(file, flags)
        done.append(f"settings {file}")
    secrets.signing_key(settings.secrets)
    if pair_names is not None:
        certificate.store(
            certificate.create_self_signed(pair_names, key_type=key_type),
            settings.certificate,
            settings.certificate_key,
        )
        done.append(f"certificate {settings.certificate}")
    if not database_place.is_settled(settings.database, settings.depot.database_folder):
        backups.require_stopped(root)
    if (moved := database_place.settle(settings.database, settings.depot.database_folder)) is not None:
        done.append(f"database {moved}")
    db = Database(settings.database)
    with closing(db):
        steps = db.create() if root_marker.is_being_made(root) else db.migrate()
    done += [f"database step {name}" for name in steps]
    root_marker.finish(root, settings.server.hostname)
    return settings


def _is_new(root: Path) -> bool:
    """Is there nothing of a data root yet? Raises Problem for one that is damaged, half restored or not mounted."""
    if (root / root_marker.RESTORING).exists():
        raise root_marker.half_restored(root)
    marker = root_marker.read(root) if root.is_dir() else None
    if marker is not None and root_marker.is_being_made(root):
        return False
    if marker is None and not any((root / name).exists() for name in _PARTS):
        return True
    root_marker.require(root, new_settings=True)
    return False


def _adopt(state: CliState) -> dict[str, Any]:
    root = state.data_root
    become_owner(root)
    root_marker.require(root, adopt=True)
    root_marker.finish(root, state.settings.server.hostname, adopt=True)
    with as_caller():
        return {"data": str(root), "noted": str(root_marker.record(root))}


def first_admin(state: CliState, name: str, email: str, password: str | None) -> dict[str, Any]:
    """Make the first administrator unless there is an account of that name; without a password, with a one-time link."""
    from appliance.actions import accounts
    from appliance.cli.user import first_link
    from appliance.model.viewer import OPERATOR
    from appliance.store import users

    with state.db.read() as conn:
        if users.find(conn, name) is not None:
            return {"admin": name}
    accounts.create(state.site, OPERATOR, {"name": name, "email": email, "password": password}, sysadmin=True)
    return {"admin": name} | ({} if password else {"link": first_link(state, name)})


def _require_agreement(settings: Settings, flags: dict[str, Any], file: Path) -> None:
    for key, value in flags.items():
        group, name = key.split(".")
        present = getattr(getattr(settings, group), name)
        if present != value:
            raise Problem(
                409,
                "Validation Error",
                message=f"{file} says {key} = {present}, not {value}. Change it with `dcor config set {key} {value}`.",
            )


def _text(result: dict[str, Any]) -> str:
    lines = [*result["done"]] or [f"{result['data']} was already complete."]
    if result.get("link"):
        lines += ["", f"First sign-in of {result['admin']} (valid once, for 24 hours):", result["link"]]
    return "\n".join(lines)
