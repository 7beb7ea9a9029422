"""Verifying the audit log against what was noted of it elsewhere, and noting its state there."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from appliance.actions import backups
from appliance.backup import audit_anchors
from appliance.model import messages, times
from appliance.model.audit_anchor import Anchor
from appliance.model.messages import Message
from appliance.settings import Settings
from appliance.store import alarms, audit_chain
from appliance.store.audit_chain import Verdict
from appliance.store.database import Database

log = logging.getLogger(__name__)

ALARM = Message("audit")


def verify(db: Database, settings: Settings, given: Sequence[Anchor] = ()) -> Verdict:
    """Check the whole log: its chain, and what this server's signed backups, the journal and `given` notes say of it."""
    noted = list(given)
    signer = backups.own_signer(settings)
    noted += audit_anchors.of_backups(backups.folder(settings), signer) if signer else []
    with db.snapshot() as conn:
        noted += audit_anchors.of_journal(lambda text: audit_chain.authenticate(conn, text)) or []
        return audit_chain.verify(conn, noted)


def note_state(db: Database, settings: Settings) -> Verdict:
    """Verify the log, write its state to the service's log, and raise or settle the alarm about it."""
    verdict = verify(db, settings)
    with db.write() as tx:
        state, at = audit_chain.state(tx), times.now()
        text = audit_anchors.line(state, at, lambda covered: audit_chain.authenticate(tx, covered))
        alarms.resolve_for(tx, ALARM, "")
        if verdict.problems:
            alarms.raise_(tx, ALARM, "", messages.cut(_alarm(messages.joined(verdict.problems)), 2000))
    log.info("%s", text)
    return verdict


def _alarm(problems: str) -> str:
    return Message("The audit log was altered or is damaged. %(problems)s", problems=problems)
