"""The context of request handlers: the site, and tools of the network layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from appliance.actions.site import Site
from appliance.archive.reading import ReadThrough
from appliance.security.signing import Signer
from appliance.store.cache import Cache
from appliance.store.incidents import Incidents
from appliance.web import fair_slots
from appliance.web.body_budget import BodyBudget


class Readers(Protocol):
    """A pool of sandboxed processes that read features from measurements."""

    def read(
        self, resource_id: str, request: Mapping[str, Any], *, caller: str, timeout: float = 5.0, long: bool = False
    ) -> Any:
        """The answer of `jobs.rtdc.tasks.read`; `caller` (a user's id or an address) gets no more than a share. Raises Problem."""


@dataclass(slots=True)
class Context(Site):
    """A site on the network.

    :ivar signer: signs and checks presigned URLs.
    :ivar readers: opens measurements for `dcserv` version 1 and the explorer; None where there are none (tests of other things).
    :ivar cache: what is kept in memory to be given again: callers, results, whole answers.
    :ivar incidents: keeps the traces of unforeseen failures.
    :ivar status: live figures for the health page and metrics (connections, transfers, uptime).
    :ivar reads: slots for what the API reads.
    :ivar archive: reads originals that are in the object storage.
    :ivar stalled: names of the service's threads that should turn and do not.
    """

    signer: Signer = field(kw_only=True)
    readers: Readers | None = None
    status: Callable[[], dict[str, Any]] = field(default=dict)
    stalled: Callable[[], list[str]] = field(default=list)
    cache: Cache = field(init=False)
    incidents: Incidents = field(init=False)
    archive: ReadThrough = field(init=False)
    bodies: BodyBudget = field(default_factory=BodyBudget)
    reads: fair_slots.FairSlots = field(default_factory=fair_slots.for_reads)

    def __post_init__(self) -> None:
        self.cache = Cache(self.db.generation, self.settings.server.cache)
        self.incidents = Incidents(self.db)
        self.archive = ReadThrough(lambda: self.settings, self.settings.tmp / "archive")
