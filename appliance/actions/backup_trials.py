"""Trial restores: run one, store the latest results, determine when the next is due."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from appliance.actions import backups
from appliance.actions.site import Site
from appliance.backup import crypto as backup_crypto
from appliance.backup import manifest as backup_manifest
from appliance.backup import trial as backup_trial
from appliance.backup.create import Progress
from appliance.model import messages
from appliance.model.messages import Message
from appliance.security import secrets
from appliance.settings import Settings
from appliance.store import backup_source

_TRIALS = "trial-restores.json"
_TRIALS_KEPT = 24


def trial(site: Site, *, key: str | None = None, progress: Progress | None = None) -> backup_trial.Trial:
    """Restore a rotating part for trial, keep the result for the admin page, and raise an alarm when it fails."""
    settings = site.settings
    identities = (
        backup_crypto.parse_identities(key) if key is not None else ()
    )  # first: a wrong key must not make one of ours
    done = backup_trial.trial(
        backups.source(settings),
        backups.folder(settings),
        backups.seal(settings),
        examine=backup_source.examine,
        workdir=settings.tmp,
        identities=identities,
        progress=progress,
    )
    rows = [done.as_dict(), *trials(settings)][:_TRIALS_KEPT]
    secrets.write_private(settings.data / "log" / _TRIALS, messages.dumps(rows).encode())
    backups.alarm(
        site,
        Message("The test restore failed: %(problems)s", problems=messages.joined(done.problems[:3]))
        if done.problems
        else None,
        "trial",
    )
    return done


def trials(settings: Settings) -> list[dict[str, Any]]:
    """Results of the trial restores, newest first."""
    try:
        found = messages.loads((settings.data / "log" / _TRIALS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


def trial_is_due(settings: Settings, now: datetime | None = None) -> bool:
    """Has there been no trial this month, although there are complete backups?"""
    stamp = (now or datetime.now(UTC)).strftime("%Y-%m")
    done = [row.get("at", "") for row in trials(settings)]
    return not any(at.startswith(stamp) for at in done) and bool(
        backup_manifest.newest(backups.folder(settings), backup_manifest.FULL)
    )
