"""The measurement that a request is about."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from appliance.model.problem import Problem
from appliance.model.viewer import DatasetFacts, Viewer
from appliance.store import jobs, rtdc
from appliance.web.context import Context


@dataclass
class Measurement:
    """A measurement's row, its dataset's facts, the caller (and their address), and a connection for further queries."""

    context: Context
    conn: sqlite3.Connection
    resource: sqlite3.Row
    facts: DatasetFacts
    viewer: Viewer
    client: str = ""

    @property
    def id(self) -> str:
        """Id of the resource."""
        return str(self.resource["id"])

    @property
    def public(self) -> bool:
        """Whether anybody with access to this server may read it without a signature."""
        return self.facts.state == "active" and not self.facts.private and self.context.settings.policy.anonymous_access

    @cached_property
    def kernel(self) -> Any:
        """The metadata read from the file by the metadata job (JSON columns as text). Raises Problem 409 before that has run."""
        row = rtdc.row(self.conn, self.id)
        if row is None or row["extracted"] is None:
            raise Problem(409, "Validation Error", message=self._why_not())
        return row

    def _why_not(self) -> str:
        """The message for a request before the file was read: the reason, if that is permanent."""
        found = next((job for job in jobs.for_resource(self.conn, self.id) if job["kind"] == "metadata"), None)
        if found is None or found["state"] in {"queued", "running", "done"}:
            return f"The server has not processed resource {self.id} yet; try again in a moment."
        if found["state"] == "cancelled":
            return f"The processing of resource {self.id} was cancelled; an administrator can start it again with: dcor jobs retry {found['id']}"
        reason = found["error"].rstrip(".")
        return (
            f"The server could not read the file of resource {self.id}, so no data of it can be opened from here: {reason}. "
            "Correct the file and upload it as a new resource; the file itself can be downloaded as it is."
        )
