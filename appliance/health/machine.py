"""The machine itself: settings, clock, protection that the kernel offers, limits."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from appliance import settings as settings_module
from appliance.health.base import Finding, Level, Premises, check
from appliance.jobs import confinement
from appliance.model.messages import Message

_FIRST_RELEASE = 1_750_000_000  # seconds since 1970; a clock before this was never set


@check("settings", "dcor.toml and the environment are complete and make sense together")
def settings(premises: Premises) -> Iterator[Finding]:
    """Unknown keys and wrong types stop every command already; here are combinations that clients stumble over."""
    found = list(_settings(premises.settings))
    yield from found or [
        Finding(
            "settings",
            Level.OK,
            Message(
                "%(origins)s of %(options)s differ from the defaults",
                origins=len(premises.settings.origins),
                options=len(settings_module.options()),
            ),
        )
    ]


def _settings(settings: settings_module.Settings) -> Iterator[Finding]:
    host = settings.server.hostname
    if host != host.lower():
        yield Finding(
            "settings",
            Level.PROBLEM,
            Message("host name %(host)s has capital letters", host=host),
            Message("dclab compares host names letter by letter."),
            f"dcor config set server.hostname {host.lower()}",
        )
    if "." not in host and host != "localhost":
        yield Finding(
            "settings",
            Level.WARNING,
            Message("host name %(host)s has no dot", host=host),
            Message("dclab does not follow references to such servers."),
            Message("Use the full name, such as dcor.hospital.example."),
        )
    if settings.server.port != 443 and host != "localhost":
        yield Finding(
            "settings",
            Level.NOTE,
            Message("HTTPS listens on port %(port)s", port=settings.server.port),
            Message("dclab's references between files need port 443."),
            "dcor config set server.port 443",
        )
    if settings.depot.direct_upload:
        yield Finding(
            "settings",
            Level.NOTE,
            Message("direct uploads are on"),
            Message("They fail on clients that do not trust the certificate system-wide."),
            Message("Distribute the scripts of `dcor client-setup`, or set depot.direct_upload to false."),
        )
    if settings.policy.self_registration and not settings.jobs.playground_purge_days:
        yield Finding(
            "settings",
            Level.WARNING,
            Message("anyone can register an account"),
            Message("Intended only for a playground."),
            "dcor config set policy.self_registration false",
        )
    if settings.policy.anonymous_access:
        yield Finding("settings", Level.NOTE, Message("public datasets can be read without an account"))
    if settings.depot.max_upload < 100 * 10**9:
        yield Finding(
            "settings",
            Level.NOTE,
            Message(
                "uploads are limited to %(max_upload)s GB", max_upload=f"{settings.depot.max_upload / 1000000000.0:.1f}"
            ),
            "",
            "dcor config set depot.max_upload 100000000000",
        )


@check("clock", "the clock is set, as certificates, tokens and links expire by it")
def clock(premises: Premises) -> Iterator[Finding]:
    """A clock that stands before this release or before the newest file of the data root is wrong."""
    now = time.time()
    newest = premises.settings.database.stat().st_mtime if premises.settings.database.exists() else 0.0
    if now < _FIRST_RELEASE or newest > now + 600:
        yield Finding(
            "clock",
            Level.PROBLEM,
            time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
            Message("Certificates, tokens and links seem expired or not yet valid."),
            "timedatectl set-ntp true; or: date -s '2026-01-31 12:00'",
        )
        return
    synchronised = Path("/run/systemd/timesync/synchronized").exists() or Path("/var/lib/chrony/drift").exists()
    if Path("/run/systemd/system").is_dir() and not synchronised:
        yield Finding(
            "clock",
            Level.NOTE,
            Message("no time server seems to be in use"),
            Message("Without one, the clock drifts by seconds a week."),
            Message("Enter the hospital's NTP server in /etc/systemd/timesyncd.conf."),
        )
    else:
        yield Finding("clock", Level.OK, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)))


@check("sandbox", "the kernel can lock in the processes that open uploaded files")
def sandbox(premises: Premises) -> Iterator[Finding]:
    """Landlock, system call filter and name spaces. Without the first two, jobs run only where a setting allows it."""
    found = confinement.capabilities(namespaces=confinement.namespaces_work())
    refused = not found["complete"] and not premises.settings.jobs.allow_weak_sandbox
    if refused:
        yield Finding(
            "sandbox",
            Level.PROBLEM,
            Message("no uploaded file is opened: %(found)s", found=confinement.summary(found)),
            Message("New measurements get no metadata, condensed files or previews, and datasets cannot be activated."),
            Message(
                "Update the kernel (that of Debian 12 or Ubuntu 24.04 is sufficient), or accept the risk: dcor "
                "config set jobs.allow_weak_sandbox true"
            ),
        )
    for text in found["warnings"]:
        yield Finding(
            "sandbox",
            Level.WARNING,
            text,
            Message("A malicious file has fewer barriers to overcome."),
            Message("Update the kernel (that of Debian 12 or Ubuntu 24.04 is sufficient)."),
        )
    if not refused and not found["warnings"]:
        yield Finding("sandbox", Level.OK, confinement.summary(found))


@check("temporary files", "every process keeps its temporary files on the data volume")
def temporary_files(premises: Premises) -> Iterator[Finding]:
    """The manual's items 5, 7 and 8: nothing of ours goes to /tmp; uploads are written once, in place."""
    if premises.settings.tmp.is_dir():
        yield Finding("temporary files", Level.OK, str(premises.settings.tmp))
    else:
        yield Finding(
            "temporary files",
            Level.PROBLEM,
            Message("%(tmp)s is missing", tmp=premises.settings.tmp),
            Message("Uploads fail."),
            "dcor inspect --assume-yes",
        )


@check("limits", "enough files may be open at once, and memory suffices for the jobs")
def limits(premises: Premises) -> Iterator[Finding]:
    """Two descriptors for each connection, some for jobs; `jobs.memory` for each worker besides the service itself."""
    good = True
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 3 * premises.settings.server.max_connections
    if hard != resource.RLIM_INFINITY and hard < needed:
        good = False
        yield Finding(
            "limits",
            Level.WARNING,
            Message("at most %(hard)s open files", hard=hard),
            Message(
                "%(max_connections)s connections need %(needed)s.",
                max_connections=premises.settings.server.max_connections,
                needed=needed,
            ),
            Message("The shipped dcor.service sets LimitNOFILE=65536."),
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    workers = premises.settings.jobs.workers or max(1, (os.cpu_count() or 2) - 1)
    if memory < premises.settings.jobs.memory * workers + (1 << 30):
        good = False
        yield Finding(
            "limits",
            Level.WARNING,
            Message(
                "%(installed)s GB of memory for %(workers)s workers of up to %(each)s GB",
                installed=f"{memory / 1000000000.0:.1f}",
                workers=workers,
                each=f"{premises.settings.jobs.memory / 1000000000.0:.1f}",
            ),
            Message("The kernel may kill jobs on large files."),
            "dcor config set jobs.workers 1",
        )
    if good:
        yield Finding(
            "limits",
            Level.OK,
            Message(
                "%(memory)s GB of memory, %(of)s open files",
                memory=f"{memory / 1000000000.0:.1f}",
                of=hard if hard != resource.RLIM_INFINITY else Message("any number of"),
            ),
        )


@check("system logs", "the system journal cannot fill the system volume")
def system_logs(premises: Premises) -> Iterator[Finding]:
    """The manual's item 6. The installer ships a drop-in with SystemMaxUse=200M."""
    if not Path("/run/systemd/system").is_dir():
        yield Finding("system logs", Level.OK, Message("systemd is not running here"))
        return
    files = [
        Path("/etc/systemd/journald.conf"),
        *Path("/etc/systemd").glob("journald.conf.d/*.conf"),
        *Path("/usr/lib/systemd").glob("journald.conf.d/*.conf"),
    ]
    lines = [
        line
        for file in files
        if file.is_file()
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    limit = next((line.strip() for line in lines if line.strip().startswith("SystemMaxUse=")), None)
    if limit is None:
        yield Finding(
            "system logs",
            Level.WARNING,
            Message("the journal has no size limit"),
            Message("It may use up to a tenth of the system volume."),
            Message("Run the installer again, or: SystemMaxUse=200M in /etc/systemd/journald.conf."),
        )
    else:
        yield Finding("system logs", Level.OK, limit)


@check("mail", "alarms can be mailed, if a mail server is named")
def mail(premises: Premises) -> Iterator[Finding]:
    """Only errors are mailed (the manual's item 1), at most a digest an hour. `dcor send-mail` tries it out."""
    settings = premises.settings.mail
    if not settings.server:
        yield Finding(
            "mail",
            Level.NOTE,
            Message("no mail server is set; alarms appear only on the web pages, in `dcor status` and in the tray"),
            "",
            "dcor config set mail.server smtp.hospital.example",
        )
    elif not settings.admin or not settings.sender:
        yield Finding(
            "mail",
            Level.WARNING,
            Message("mail.admin or mail.sender is missing"),
            Message("No alarms are mailed."),
            "dcor config set mail.admin it@hospital.example",
        )
    else:
        yield Finding("mail", Level.OK, f"{settings.server} → {settings.admin}")
