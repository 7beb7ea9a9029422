"""Every setting, declared once: defaults < ``dcor.toml`` < the administrators' page < ``DCOR_*`` environment < command line flags.

The declarations are also what ``dcor config show``, the example file and the docs are made of.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from appliance import durable
from appliance.archive_settings import Archive
from appliance.external_settings import Clamav, Mail, Syslog
from appliance.model.messages import Message
from appliance.model.problem import Problem
from appliance.model.setting_values import convert, out_of_bounds, toml
from appliance.model.setting_values import option as _option
from appliance.publish_settings import Publish
from appliance.signon_settings import Ldap, Oidc

DEFAULT_DATA = Path("/data")
#: The settings' file in the data root, and that with what administrators have changed on the page; and its name as an origin.
FILE, PAGE_FILE, PAGE = "dcor.toml", "page-settings.toml", "web page"
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Server:
    """Where the appliance listens and what it is called."""

    hostname: str = _option("localhost", "Name under which clients reach this server; must be in the certificate")
    bind: str = _option("0.0.0.0", "Address to listen on")  # noqa: S104 - a server listens
    port: int = _option(443, "HTTPS port", most=65535)
    http_port: int = _option(80, "Port that redirects pages to HTTPS; 0 = none", most=65535)
    title: str = _option("DCOR", "Name of the site, shown in the header and in status_show", live=True)
    description: str = _option("", "One sentence on the front page", live=True)
    max_connections: int = _option(1024, "Connections served at once", least=1)
    max_connections_per_address: int = _option(512, "Connections served at once for one client address", least=1)
    ipv4_network_bits: int = _option(
        32,
        "Prefix length by which IPv4 addresses count as one client (24: a whole /24); IPv6 addresses count by /64",
        least=8,
        most=32,
    )
    page_threads: int = _option(4, "Pages rendered in parallel", least=1)
    trusted_proxies: str = _option(
        "", "Proxies whose X-Forwarded-For header is trusted: addresses or networks, separated by commas"
    )
    cache: int = _option(64 << 20, "Memory for cached responses; 0 = no cache", "bytes")


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may do what; the defaults are a clinic's."""

    anonymous_access: bool = _option(
        False, "Let anyone on the network see public content without signing in", live=True
    )
    public_datasets: bool = _option(
        True, "Allow public datasets (public: every signed-in user); off: only private ones", live=True
    )
    licences: str = _option(
        "standard",
        "List of licences: standard (Creative Commons) or medical (none, patient)",
        choices=("standard", "medical"),
        live=True,
    )
    supplements: str = _option(
        "standard", "Schema of supplementary metadata: standard, medical or a folder of JSON files"
    )
    users_create_circles: bool = _option(True, "Every user can create circles; off: administrators only", live=True)
    users_create_collections: bool = _option(
        True, "Every user can create collections; off: administrators only", live=True
    )
    self_registration: bool = _option(False, "Anyone can register an account; only for a playground", live=True)
    administrators_totp: bool = _option(
        False, "Administrators of this server need a second factor; without one they are regular users", live=True
    )
    own_access_files: bool = _option(
        True, "Users can create .dcor-access files for themselves on the web pages", live=True
    )


@dataclass(frozen=True, slots=True)
class Depot:
    """Files and their limits."""

    max_upload: int = _option(100 * 10**9, "Largest file accepted", "bytes", live=True)
    database_folder: str = _option(
        "", "Local folder for the database if the data root is on NFS; empty = in the data root"
    )
    reserve: int = _option(
        2 * GIB, "Free space that uploads and jobs must leave on the data volume", "bytes", live=True
    )
    direct_upload: bool = _option(
        False, "Offer uploads to presigned URLs; needs a certificate that clients trust system-wide"
    )
    link_lifetime: int = _option(3600, "Lifetime of presigned URLs", "s", live=True)
    part_lifetime: int = _option(86400, "Unfinished uploads are removed after this time", "s", live=True)
    quota_circle: int = _option(
        0, "Space a circle may use, including condensed files and previews; 0 = no limit", "bytes", live=True
    )
    archive: str = _option(
        "", "Object storage that old originals are moved to: s3://BUCKET[/PREFIX]; empty = none; see [archive]"
    )


@dataclass(frozen=True, slots=True)
class Web:
    """The web UI."""

    browser_upload: bool = _option(True, "Offer uploads in the browser", live=True)
    session_hours: int = _option(12, "Sessions end after this time without use", "h", least=1, live=True)
    contact: str = _option("", "Contact for users: a name, an address, a telephone number", live=True)
    docs_url: str = _option("", "Further documentation of this site", live=True, form="link")


@dataclass(frozen=True, slots=True)
class Jobs:
    """Background work."""

    workers: int = _option(0, "Jobs run in parallel; 0 = depending on the number of cores")
    memory: int = _option(2 * GIB, "Memory limit of one job", "bytes", least=256 << 20)
    timeout: int = _option(3600, "Longest time one job may take", "s", least=1)
    allow_weak_sandbox: bool = _option(
        False,
        "Open uploaded files even if the kernel lacks Landlock or a system call filter; a malicious file could then "
        "read all other files",
    )
    condense: bool = _option(True, "Create condensed files", live=True)
    intra_dataset_basins: bool = _option(True, "Let condensed files refer to other files of their dataset")
    scrub_days: int = _option(
        30, "Every file is read and checked against its checksum within this time", "d", least=1, live=True
    )
    prune_drafts_days: int = _option(
        0, "Drafts unchanged for this time are purged; 0 = never automatically", "d", live=True
    )
    trash_days: int = _option(30, "Deleted datasets can be restored for this time; 0 = always", "d")
    playground_purge_days: int = _option(0, "Playground: everything older than this is purged; 0 = no playground", "d")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Limits of the verdict on each measurement; a change takes effect with the next start."""

    least_events: int = _option(100, "Take a look at files with fewer events")
    pause: int = _option(10, "Take a look at longer gaps without events that chance does not explain", "s")
    rate_change: int = _option(
        60, "Take a look when the event rate changes by more between fifths of the measurement", "%", most=100
    )
    burst: int = _option(300, "Take a look when the event rate exceeds this share of the usual one", "%", least=100)
    brightness_drift: int = _option(10, "Take a look when the median brightness drifts by more", "%")
    focus_drift: int = _option(20, "Take a look when the sharpness of the images drifts by more", "%")
    poor_outlines: int = _option(30, "Take a look when more events have a porous or rough outline", "%", most=100)
    at_border: int = _option(20, "Take a look when more events touch the image border", "%", most=100)
    saturated: int = _option(1, "Take a look when more events have saturated fluorescence", "%", most=100)
    lost: int = _option(5, "Take a look when more events are duplicates or were not stored", "%", most=100)
    temperature: int = _option(2, "Take a look when the chip temperature varies by more", "°C")
    flow_drift: int = _option(10, "Take a look when flow rate or pressure drift by more", "%")
    unusable: int = _option(
        80, "Advise against using a file in which a larger share of events is affected", "%", most=100
    )


@dataclass(frozen=True, slots=True)
class Backup:
    """Encrypted backups."""

    folder: str = _option("", "Folder for backups; empty = backups/ in the data root")
    recipient: str = _option("", "age public key (age1…) to which backups are encrypted")
    gpg_key: str = _option("", "GnuPG key id used by encrypted-database-backup")
    keep_daily: int = _option(14, "Daily backups kept", live=True)
    keep_monthly: int = _option(12, "Monthly backups kept", live=True)
    keep_yearly: int = _option(10, "Yearly backups kept", live=True)


@dataclass(frozen=True, slots=True)
class Reserve:
    """Increments for a second machine that can take over."""

    folder: str = _option("", "Folder on another disk or a share for increments; empty = none are made")
    minutes: int = _option(5, "Interval between increments, in steps of five", "min", least=5)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one data root.

    :ivar origins: where each value that is not a default came from, e.g. ``{"server.port": "dcor.toml"}``.
    """

    data: Path = DEFAULT_DATA
    server: Server = field(default_factory=Server)
    policy: Policy = field(default_factory=Policy)
    depot: Depot = field(default_factory=Depot)
    archive: Archive = field(default_factory=Archive)
    web: Web = field(default_factory=Web)
    jobs: Jobs = field(default_factory=Jobs)
    verdict: Verdict = field(default_factory=Verdict)
    backup: Backup = field(default_factory=Backup)
    reserve: Reserve = field(default_factory=Reserve)
    publish: Publish = field(default_factory=Publish)
    syslog: Syslog = field(default_factory=Syslog)
    clamav: Clamav = field(default_factory=Clamav)
    mail: Mail = field(default_factory=Mail)
    ldap: Ldap = field(default_factory=Ldap)
    oidc: Oidc = field(default_factory=Oidc)
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def site_url(self) -> str:
        """``https://HOST[:PORT]`` without a trailing slash, as clients type it."""
        port = "" if self.server.port == 443 else f":{self.server.port}"
        return f"https://{self.server.hostname}{port}"

    @property
    def database(self) -> Path:
        """The metadata database."""
        return self.data / "dcor.sqlite"

    @property
    def tmp(self) -> Path:
        """TMPDIR of every process: on the data volume, never on the system's."""
        return self.data / "tmp"

    @property
    def secrets(self) -> Path:
        """Folder (0700) of signing keys."""
        return self.data / "secrets"

    @property
    def certificate(self) -> Path:
        """The served certificate, leaf first."""
        return self.data / "certificates" / "server.cert"

    @property
    def certificate_key(self) -> Path:
        """Its private key, mode 0600."""
        return self.data / "certificates" / "server.key"

    def replace(self, **values: Any) -> Settings:
        """A copy with dotted keys changed: ``replace(**{"server.port": 8443})``."""
        return _apply(self, {key: (value, "flag") for key, value in values.items()})

    def chosen(self) -> dict[str, Any]:
        """What is no default, by dotted key: what `write` takes."""
        pairs = [(key, key.split(".")) for key in self.origins]
        return {key: getattr(getattr(self, group), name) for key, (group, name) in pairs}


GROUPS = tuple(f.name for f in dataclasses.fields(Settings) if f.name not in {"data", "origins"})


def options() -> dict[str, dataclasses.Field[Any]]:
    """Every option by its dotted key, in the order of declaration."""
    defaults = Settings()
    return {f"{group}.{f.name}": f for group in GROUPS for f in dataclasses.fields(getattr(defaults, group))}


def load(
    data: Path | None = None,
    env: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    page: bool = True,
) -> Settings:
    """The settings of a data root.

    :param data: the data root; else ``DCOR_DATA``, else ``/data``.
    :param flags: dotted key → value from the command line; None values are ignored.
    :param page: with what administrators have changed on the page.
    :raises Problem: an unknown key (with the nearest known one) or a value of the wrong type.
    """
    env = os.environ if env is None else env
    root = (data or Path(env.get("DCOR_DATA") or DEFAULT_DATA)).absolute()
    known = options()
    values: dict[str, tuple[Any, str]] = {}
    for name, origin in ((FILE, FILE), (PAGE_FILE, PAGE)):
        file = root / name
        if file.exists() and (page or origin == FILE):
            values.update({key: (value, origin) for key, value in _read(file).items()})
    for key in known:
        variable = "DCOR_" + key.replace(".", "_").upper()
        if variable in env:
            values[key] = (env[variable], variable)
    values.update({key: (value, "flag") for key, value in (flags or {}).items() if value is not None})
    return _apply(dataclasses.replace(Settings(), data=root), values)


def page_values(root: Path) -> dict[str, Any]:
    """What administrators have changed on the page, by dotted key."""
    file = root / PAGE_FILE
    return _read(file) if file.exists() else {}


def change_on_page(root: Path, key: str, value: Any) -> None:
    """Note a change of the page; None takes it back, so that the setting is as in the file. Raises OSError."""
    values = page_values(root)
    values.pop(key, None)
    if value is not None:
        values[key] = value
    lines = ['# What administrators have changed on the page "Settings"; it counts before dcor.toml.']
    for group in GROUPS:
        inside = {name.split(".")[1]: one for name, one in values.items() if name.split(".")[0] == group}
        if inside:
            lines += [f"[{group}]", *(f"{name} = {toml(one)}" for name, one in inside.items())]
    durable.write(root / PAGE_FILE, ("\n".join(lines) + "\n").encode())


def write(path: Path, values: Mapping[str, Any]) -> None:
    """Write `values` (dotted keys) as a commented ``dcor.toml``; the other options stand there as comments."""
    lines = ["# Settings of this appliance. Commented lines show the defaults.", ""]
    for group in GROUPS:
        lines.append(f"[{group}]")
        for key, option in options().items():
            if key.split(".")[0] != group:
                continue
            name, unit = option.name, option.metadata["unit"]
            lines.append(f"# {option.metadata['doc']}" + (f" [{unit}]" if unit else ""))
            lines.append(f"{name} = {toml(values[key])}" if key in values else f"# {name} = {toml(option.default)}")
        lines.append("")
    durable.write(path, "\n".join(lines).encode())


def _read(file: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(
            409, "Validation Error", message=Message("%(file)s is not valid TOML: %(error)s", file=file, error=error)
        ) from error
    found: dict[str, Any] = {}
    for group, table in tables.items():
        if not isinstance(table, dict):
            raise Problem(
                409,
                "Validation Error",
                message=Message(
                    "%(file)s: '%(group)s' is outside a table; the tables are %(names)s.",
                    file=file,
                    group=group,
                    names=", ".join(GROUPS),
                ),
            )
        found.update({f"{group}.{key}": value for key, value in table.items()})
    return found


def _apply(settings: Settings, values: Mapping[str, tuple[Any, str]]) -> Settings:
    known = options()
    changed: dict[str, dict[str, Any]] = {}
    origins = dict(settings.origins)
    for key, (value, origin) in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = Message(" Did you mean '%(near)s'?", near=near[0]) if near else ""
            raise Problem(
                409,
                "Validation Error",
                message=Message("Unknown setting '%(key)s' (%(origin)s).%(hint)s", key=key, origin=origin, hint=hint),
            )
        group, name = key.split(".")
        kind = get_type_hints(type(getattr(settings, group)))[name]
        converted = convert(key, value, kind, origin, known[key].metadata["unit"])
        if reason := out_of_bounds(converted, known[key].metadata):
            raise Problem(
                409,
                "Validation Error",
                message=Message(
                    "Setting '%(key)s' (%(origin)s) %(reason)s, not '%(value)s'.",
                    key=key,
                    origin=origin,
                    reason=reason,
                    value=value,
                ),
            )
        changed.setdefault(group, {})[name] = converted
        origins[key] = origin
    groups = {group: dataclasses.replace(getattr(settings, group), **table) for group, table in changed.items()}
    return dataclasses.replace(settings, origins=origins, **groups)
