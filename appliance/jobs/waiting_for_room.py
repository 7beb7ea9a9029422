"""Jobs that were postponed because the data volume has no room for their output: noted, told to administrators, tried again."""

from __future__ import annotations

import sqlite3

from appliance.jobs.room import NoRoom, Room
from appliance.model.messages import Message
from appliance.store import alarms, jobs
from appliance.store.database import Database
from appliance.store.jobs import Attempt

ALARM = Message("room")


def note(tx: sqlite3.Connection, job: Attempt, found: NoRoom) -> None:
    """Put the job back until there is room, and raise the alarm."""
    if jobs.postpone_for_room(
        tx,
        job,
        found.need,
        Message(
            "Postponed: the data volume has too little space besides the reserve. The job starts automatically when "
            "there is space."
        ),
    ):
        alarms.raise_(
            tx,
            ALARM,
            "",
            Message(
                "Jobs are waiting because the data volume has too little space besides the reserve (depot.reserve). "
                "Free some space; they then start automatically."
            ),
        )


def retry(db: Database, room: Room) -> None:
    """Start again what there is room for; settle the alarm when nothing waits for room any more."""
    with db.read() as conn:
        if not jobs.waiting_for_room(conn) and not alarms.is_open(conn, ALARM):
            return
    left = room.left()
    with db.write() as tx:
        jobs.resume_with_room(tx, left)
        if not jobs.waiting_for_room(tx):
            alarms.resolve_for(tx, ALARM, "")
