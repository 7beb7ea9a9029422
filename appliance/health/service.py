"""The running service: it answers, can do its work, and is of this data root and this release."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from appliance import __version__, file_locks
from appliance.health.base import Finding, Level, Premises, check
from appliance.model import system_errors
from appliance.model.messages import Message
from appliance.settings import Settings

_TIMEOUT = 5.0  # seconds
_NAME = Message("service")
_LOG = "journalctl -u dcor -n 30"

#: What `/healthz` calls failing → what it means and what to do.
_CAUSES: dict[str, tuple[str, str]] = {
    "disk": (
        Message("the data volume is full: uploads are refused"),
        Message("`dcor prune uploads`, empty quarantine/, or a larger disk; `df -h` shows what is used."),
    ),
    "database": (
        Message("the file of the database was moved or replaced while the service runs; nothing is written any more"),
        Message("sudo systemctl restart dcor; then `dcor inspect` again"),
    ),
    "database damaged": (
        Message("the database cannot be read"),
        "sudo systemctl stop dcor; sudo dcor backup restore --replace --key key-sheet.txt; sudo systemctl start dcor",
    ),
    "read-only": (
        Message("the data volume cannot be written"),
        Message("`findmnt` and `dmesg` say why it is read-only; after it was mended: sudo systemctl restart dcor"),
    ),
}


@dataclass(frozen=True)
class Answer:
    """What came from the port of the service.

    :ivar connected: somebody accepts connections there. :ivar ours: it showed the certificate of this data root.
    :ivar status: of the answer to `/healthz`, 0 without one. :ivar problem: why there is none.
    """

    connected: bool = False
    ours: bool = False
    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


@check(
    _NAME, "the service runs, answers and can do its work, with the data root and the release that are installed here"
)
def service(premises: Premises) -> Iterator[Finding]:
    """Stopped, hanging, failing, of another release, or another program at its port."""
    settings = premises.settings
    place = f"{loopback(settings)}:{settings.server.port}"
    answer = ask(settings)
    if not holds_lock(premises):
        yield _stopped(answer, place)
    elif answer.status == 0:
        yield Finding(
            _NAME,
            Level.PROBLEM,
            Message(
                "it is running, but there is no answer at %(place)s: %(problem)s", place=place, problem=answer.problem
            ),
            Message("Clients wait without getting an answer."),
            f"sudo systemctl restart dcor; {_LOG}",
        )
    elif answer.body.get("failing"):
        for cause in answer.body["failing"]:
            meaning, fix = _CAUSES.get(
                str(cause),
                (Message("its thread '%(cause)s' has stalled", cause=cause), f"sudo systemctl restart dcor; {_LOG}"),
            )
            yield Finding(
                _NAME,
                Level.PROBLEM,
                Message("it is running but failing: %(meaning)s", meaning=meaning),
                Message("/healthz answers 503."),
                fix,
            )
    elif answer.status != 200:
        yield Finding(
            _NAME,
            Level.PROBLEM,
            Message("it answers %(status)s at %(place)s/healthz", status=answer.status, place=place),
            Message("Clients get errors."),
            Message("%(log)s; sudo systemctl restart dcor", log=_LOG),
        )
    elif answer.body.get("version") != __version__:
        yield Finding(
            _NAME,
            Level.PROBLEM,
            Message(
                "release %(version)s runs, %(version__)s is installed",
                version=answer.body.get("version"),
                version__=__version__,
            ),
            Message("There may not be enough space for program and data."),
            "sudo systemctl restart dcor",
        )
    else:
        yield Finding(
            _NAME, Level.OK, Message("release %(version__)s answers at %(place)s", version__=__version__, place=place)
        )


def holds_lock(premises: Premises) -> bool:
    """Does a process work on this data root, the service or `dcor jobs run`?"""
    with suppress(OSError):  # whoever may not read it sees the other checks
        return file_locks.is_held(premises.settings.tmp / "jobs.lock")
    return False


def ask(settings: Settings, path: str = "/healthz", timeout: float = _TIMEOUT) -> Answer:
    """What the port of the service answers to a GET of `path`."""
    host = loopback(settings)
    try:
        raw = socket.create_connection((host, settings.server.port), timeout)
    except OSError as error:
        return Answer(problem=system_errors.reason(error))
    connected = Answer(connected=True, problem="it does not answer in time")
    with raw:
        raw.settimeout(timeout)
        try:
            pinned = ssl.create_default_context(cafile=str(settings.certificate))
            pinned.check_hostname = False  # pinned by the chain itself; the name in it is the public one
            with pinned.wrap_socket(raw, server_hostname=settings.server.hostname) as tls:
                connection = http.client.HTTPConnection(host, settings.server.port, timeout=timeout)
                connection.sock = tls
                connection.request("GET", path, headers={"Host": settings.site_url.removeprefix("https://")})
                answer = connection.getresponse()
                body = answer.read(1 << 20)
        except TimeoutError:
            return connected
        except ssl.SSLCertVerificationError as error:
            return Answer(
                connected=True,
                problem=Message(
                    "a different certificate is served (%(verify_message)s)", verify_message=error.verify_message
                ),
            )
        except (OSError, http.client.HTTPException) as error:
            return Answer(
                connected=True, problem=Message("whatever answers there is not this service (%(error)s)", error=error)
            )
    try:
        found = json.loads(body)
    except ValueError:
        found = {}
    return Answer(True, True, answer.status, found if isinstance(found, dict) else {})


def loopback(settings: Settings) -> str:
    """The address at which this machine reaches its own service."""
    return "127.0.0.1" if settings.server.bind in ("0.0.0.0", "::", "") else settings.server.bind  # noqa: S104


def _stopped(answer: Answer, place: str) -> Finding:
    if answer.connected:
        return Finding(
            _NAME,
            Level.PROBLEM,
            Message("it is not running, and another program answers at %(place)s", place=place),
            Message("The service cannot start there."),
            Message(
                "`sudo ss -ltnp 'sport = :%(rpartition)s'` shows the program: stop it, then: sudo systemctl start dcor",
                rpartition=place.rpartition(":")[2],
            ),
        )
    return Finding(
        _NAME,
        Level.PROBLEM,
        Message("it is not running"),
        Message("No one can work."),
        f"sudo systemctl start dcor (without systemd: dcor serve); why it ended: {_LOG}",
    )
