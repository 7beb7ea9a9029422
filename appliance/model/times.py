"""Times as CKAN's clients read them: naive UTC, ISO 8601, always with microseconds, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def text(moment: datetime) -> str:
    """`moment` (aware, or naive meaning UTC) as ``YYYY-MM-DDTHH:MM:SS.ffffff``."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds")


def now() -> str:
    """The present moment as text."""
    return text(datetime.now(UTC))


def ahead(delta: timedelta) -> str:
    """The moment `delta` from now as text."""
    return text(datetime.now(UTC) + delta)


def parse(value: str) -> datetime:
    """Parse a time as timezone-aware. Raises ValueError."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
