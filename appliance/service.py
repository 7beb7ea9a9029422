"""One process: gateway, pages, jobs. Composed here, started in order, stopped in order."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import tempfile
import threading
import time
from typing import Any

from cryptography import x509

from appliance import __version__, garbage, logs, notify, root_marker, threads
from appliance.actions import managed_accounts, release_journal
from appliance.archive import access
from appliance.jobs.readers import Readers
from appliance.jobs.runner import JobRunner
from appliance.jobs.sandbox_child import SandboxError
from appliance.jobs.sanity import SanityChecks
from appliance.model import supplements
from appliance.model.problem import invalid
from appliance.security import secrets
from appliance.security.signing import Signer
from appliance.settings import Settings
from appliance.store import data_root, database_place, documents, verdicts
from appliance.store.database import Database
from appliance.store.depot import Depot
from appliance.threads import Loop
from appliance.tls import certificate
from appliance.web import authentication, route_table, transfer
from appliance.web.api.dispatch import report
from appliance.web.app import create_app
from appliance.web.context import Context
from appliance.web.fair_slots import without_slot
from appliance.web.gateway import Gateway, Limits, proxies
from appliance.web.http import Request, problem_text
from appliance.web.routes import Route
from appliance.web.wsgi import pages_route

log = logging.getLogger(__name__)

_GRACE = 30.0
#: A round of a loop waits for the database's writer at most; what takes longer than this hangs [s].
STALL_SECONDS = 120.0


class Service:
    """The appliance of one data root.

    :param settings: its settings; port 0 takes free ports (tests).
    :raises Problem: with the reason, when the data root or the certificate does not permit to start.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        _prepare(settings)
        moved = database_place.settle(settings.database, settings.depot.database_folder)
        if moved is not None:
            log.warning("service.database_moved to=%s", moved)
        self.db = Database(settings.database)
        self.db.migrate()
        root_marker.finish(settings.data, settings.server.hostname)
        depot = Depot(settings.data)
        self.jobs = JobRunner(self.db, depot, settings)
        self.context = Context(
            settings=settings,
            db=self.db,
            depot=depot,
            wake_jobs=self.jobs.wake,
            check_sanity=without_slot(SanityChecks(self.jobs.sandbox, memory=settings.jobs.memory).check),
            signer=Signer(secrets.signing_key(settings.secrets)),
            status=self.status,
            stalled=self.stalled,
        )
        self.context.use_settings = self.use_settings
        self._readers = self.context.readers = Readers(
            self.jobs.sandbox,
            depot,
            cache=self.context.cache,
            archived=lambda one: access.stored(self.db, one) is not None,
        )
        self._started = time.time()
        self._gateway: Gateway | None = None
        self._collector = garbage.Collector(lambda: self._gateway is not None and self._gateway.busy)
        self._collects = False
        self._upkeep = Loop("upkeep", self._run_periodic)

    @property
    def port(self) -> int:
        """The HTTPS port that is served."""
        return self._gateway.port if self._gateway else self.settings.server.port

    def start(self) -> None:
        """Start everything; returns when requests are answered. Raises Problem when a port is taken."""
        self._gateway = self._bind(
            pages_route(create_app(self.context), at_once=self.settings.server.page_threads, bodies=self.context.bodies)
        )
        with self.db.write() as tx:
            documents.set_site_url(tx, self.settings.site_url)
            verdicts.set_limits(tx, dataclasses.asdict(self.settings.verdict))
            managed_accounts.part_from_others(tx, self.settings)
        self.jobs.start()
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()
        self._upkeep.start()
        log.info("service.ready port=%d", self.port)

    def stop(self, grace: float = _GRACE) -> None:
        """Accept nothing new, let transfers and jobs finish for a while, then end."""
        self._upkeep.stop()
        if self._gateway is not None:
            self._gateway.stop(grace)
        self.jobs.stop(grace)
        self._readers.close()
        self.db.close()
        log.info("service.stopped")

    def use_settings(self, settings: Settings) -> None:
        """Go on with other values of the settings that need no restart."""
        self.settings = self.context.settings = settings
        self.jobs.use_settings(settings)

    def reload_certificate(self) -> None:
        """Serve the certificate files as they are now to new connections."""
        if self._gateway is not None:
            self._gateway.reload_certificate(_names(self.settings))

    def status(self) -> dict[str, Any]:
        """Live figures: uptime [s], connections, jobs idle."""
        return {
            "uptime": round(time.time() - self._started),
            "connections": self._gateway.connections if self._gateway else 0,
            "jobs_idle": self.jobs.idle(),
            "sandbox": self.jobs.sandbox.capabilities(),
        }

    def stalled(self) -> list[str]:
        """Names of the threads without which nothing works and that do not turn; systemd restarts the service for them."""
        return self.stalled_after(STALL_SECONDS)

    def stalled_after(self, seconds: float) -> list[str]:
        """Names of the threads that have been in one round for more than `seconds`, or have ended."""
        loops = [*self.jobs.loops, self._upkeep, *([self._gateway.loop] if self._gateway else [])]
        return [loop.name for loop in loops if loop.stalled(seconds)]

    def _bind(self, pages: Route) -> Gateway:
        server = self.settings.server
        gateway = Gateway(
            (*route_table.routes(), pages),
            self.context,
            certificate=self.settings.certificate,
            key=self.settings.certificate_key,
            names=_names(self.settings),
            bind=server.bind,
            port=server.port,
            http_port=server.http_port or None,
            limits=Limits(
                connections=server.max_connections,
                connections_per_address=server.max_connections_per_address,
                ipv4_prefix=server.ipv4_network_bits,
                proxies=proxies.parse(server.trusted_proxies),
            ),
            known=lambda request: authentication.recognised(self.context, request),
            carries_file=transfer.carries_file,
            on_error=lambda request, error: problem_text(report(self.context, _place(request), error)),
        )
        try:
            gateway.start()
        except PermissionError as error:
            raise invalid(
                message=f"Ports below 1024 need root or CAP_NET_BIND_SERVICE; choose others with --port and --http-port ({error.strerror})."
            ) from error
        except OSError as error:
            raise invalid(
                message=f"Port {server.port} or {server.http_port} of {server.bind} cannot be used: {error.strerror}. Is another server running?"
            ) from error
        return gateway

    def collect_garbage_when_idle(self) -> None:
        """From here on. For a process that is this service and nothing else."""
        self._collector.start()
        self._collects = True

    def _run_periodic(self) -> None:
        """What is due about once a second, in a thread of its own."""
        if self._upkeep.stopping.wait(1.0):
            return
        if self._collects:
            self._collector.turn()
        self.db.close_idle()

    def _warm_up(self) -> None:
        try:
            self.jobs.sandbox.warm_up()
        except SandboxError as error:
            log.error("sandbox.unavailable reason=%s", error)


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the certificate. Raises Problem when it can not start."""
    logs.set_up()
    threads.report_deaths()
    service = Service(settings)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    signal.signal(signal.SIGHUP, lambda *_: _reload_certificate(service))
    service.start()
    service.collect_garbage_when_idle()
    notify.ready()
    while not ended.wait(notify.watchdog_interval() or 3600.0):
        if stalled := service.stalled():
            log.critical("service.stalled threads=%s", ",".join(stalled))
        else:
            notify.alive()
    notify.stopping()
    service.stop()


def _reload_certificate(service: Service) -> None:
    """Whatever lies on disk, a signal does not end the service: the certificate in use is served on."""
    try:
        service.reload_certificate()
    except Exception as error:
        log.error("service.certificate_unreadable error=%s", type(error).__name__)


def _prepare(settings: Settings) -> None:
    """Is there a whole data root that we can write, with a certificate that fits? TMPDIR moves to the data volume."""
    root = settings.data
    root_marker.require(root)  # before anything is made there
    settled = release_journal.settle_at_start(settings, __version__)
    if settled:
        log.warning("service.settled %s", settled)
    try:
        data_root.create(root)
        with tempfile.TemporaryFile(dir=settings.tmp):
            pass
    except OSError as error:
        raise invalid(
            message=f"The data root {root} is not writable: {error.strerror}. It must belong to the service's account."
        ) from error
    os.environ["TMPDIR"] = str(settings.tmp)
    tempfile.tempdir = str(settings.tmp)
    certificate.recover(settings.certificate, settings.certificate_key)
    if not settings.certificate.exists():
        raise invalid(
            message=f"There is no certificate at {settings.certificate}. Create one with: dcor certificate create"
        )
    supplements.schema(settings.policy.supplements)  # a wrong one stops the start, not the first upload
    names = _names(settings)
    if settings.server.hostname not in names:
        raise invalid(
            message=f"The certificate is for {', '.join(sorted(names))}, not for {settings.server.hostname}. Create a new one with: dcor certificate create"
        )


def _names(settings: Settings) -> set[str]:
    """Names and addresses in the certificate's subjectAltName."""
    leaf = x509.load_pem_x509_certificate(settings.certificate.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def _place(request: Request) -> str:
    """Where a request failed, for the log: no more of the address than its first part, as the rest names things or is a secret."""
    return f"{request.method} /{request.path.split('/')[1][:20]}"
