"""Saving the supplements of one file for all measurements of a draft: what it would write, and what it would overwrite."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import request

from appliance.model import supplements as schema
from appliance.store import resources
from appliance.web.pages.dataset import supplements
from appliance.web.pages.frame.base import conn, settings
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.i18n import ngettext

_SHOWN = 200


def is_measurement(file: sqlite3.Row) -> bool:
    """Does a file hold a measurement? Others have no supplementary metadata."""
    return file["mimetype"] in ("RT-DC", "DC")


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of a form, and what the measurements of the draft hold in them now.

    :ivar values: field → new value as entered ("" removes it).
    :ivar changed: fields that the reader changed; only these are written unless more are chosen.
    :ivar stored: (id, name, stored values) of each measurement.
    """

    values: dict[str, str]
    changed: set[str]
    stored: list[tuple[str, str, dict[str, Any]]]

    @classmethod
    def of(cls, dataset_id: str, values: dict[str, str], changed: set[str]) -> Plan:
        """The plan for the measurements of a dataset."""
        files = [file for file in resources.of_dataset(conn(), dataset_id) if is_measurement(file)]
        offered = {key: value for key, value in values.items() if value or key in changed}
        return cls(offered, changed, [(file["id"], file["name"], json.loads(file["supplements"])) for file in files])

    def confirmed(self) -> bool:
        """Did the reader see the summary of exactly these values?"""
        return request.form.get("seen", "") == self._seen()

    def changes(self) -> dict[str, dict[str, Any]]:
        """Resource id → fields to write: those chosen in the summary."""
        chosen = set(request.form.getlist("field")) & self.values.keys()
        return {one: {key: self.values[key] for key in sorted(chosen)} for one, _name, _stored in self.stored}

    def model(self) -> dict[str, Any]:
        """For the template: the fields, and each value that would be overwritten."""
        fields = [self._field(key) for key in self.values]
        lost = sum(len(field["overwritten"]) for field in fields if field["on"])
        return {
            "files_text": ngettext("%(num)s file", "%(num)s files", len(self.stored)),
            "lost_text": ngettext("%(num)s value will be overwritten", "%(num)s values will be overwritten", lost),
            "fields": fields,
            "lost": lost,
            "seen": self._seen(),
            "again": "seen" in request.form,
        }

    def _field(self, key: str) -> dict[str, Any]:
        item = schema.item(settings().policy.supplements, key) or {}
        overwritten = [
            {"file": name, "old": supplements.shown_value(stored[key], item)}
            for _id, name, stored in self.stored
            if stored.get(key) not in (None, "") and supplements.form_text(stored[key]) != self.values[key]
        ]
        return {
            "key": key,
            "id": "k-" + "".join(character if character.isalnum() else "-" for character in key),
            "label": _(item["name"]) if item.get("name") else key,
            "value": supplements.shown_value(self.values[key], item) if self.values[key] else _("(empty)"),
            "on": key in (request.form.getlist("field") if "seen" in request.form else self.changed),
            "overwritten": overwritten,
            "shown": overwritten[:_SHOWN],
            "more": max(0, len(overwritten) - _SHOWN),
            "count_text": ngettext("%(num)s value overwritten", "%(num)s values overwritten", len(overwritten))
            if overwritten
            else _("nothing overwritten"),
        }

    def _seen(self) -> str:
        """Stands for the new values and for all that they could overwrite."""
        held = [[one, {key: stored.get(key) for key in self.values}] for one, _name, stored in self.stored]
        return hashlib.sha256(json.dumps([self.values, held], sort_keys=True).encode()).hexdigest()[:32]
