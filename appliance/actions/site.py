"""What the verbs work with: settings, database, depot, and a few things that other rooms of the house do for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.security.limits import Limiter
from appliance.settings import Settings
from appliance.store.database import Database
from appliance.store.depot import Depot


@dataclass(frozen=True, slots=True)
class Sanity:
    """Is a file valid measurement data? If not, why."""

    valid: bool
    reasons: tuple[str, ...] = ()


def _unchecked(path: Path, caller: str) -> Sanity:
    return Sanity(False, ("Measurement files cannot be checked here.",))


@dataclass(slots=True)
class Site:
    """One appliance.

    :ivar wake_jobs: tells the job runner that there is something new in the job table.
    :ivar limiter: counts attempts to give a password.
    :ivar use_settings: lets the whole service go on with other settings.
    :ivar check_sanity: opens a measurement in a sandboxed child and says whether it is valid (takes seconds); `caller` is the id of who
        asks, for a fair share. Raises Problem 503 when it cannot tell now.
    """

    settings: Settings
    db: Database
    depot: Depot
    wake_jobs: Callable[[], None] = field(default=lambda: None)
    check_sanity: Callable[[Path, str], Sanity] = field(default=_unchecked)
    limiter: Limiter = field(default_factory=Limiter)
    use_settings: Callable[[Settings], None] = field(default=lambda settings: None)
