"""Files that are new, or of which more has become known, added to their dataset's search entry without a look at its other files.

Otherwise each of the two thousand files of a dataset would cost as much as all of them, when it arrives and when its metadata is read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from appliance.store.search.index import FILE_COLUMNS, TEXT_COLUMNS, Entry, add_resource, digest_of, value_ids
from appliance.store.search.words import indexed


def extend(tx: sqlite3.Connection, dataset_id: str, files: Mapping[str, sqlite3.Row | None]) -> bool:
    """Add what these files have more than in their rows from before (None: they are new). → False when something may have to leave
    the entry, or there is none: then the dataset is to be indexed anew.
    """
    stored = tx.execute(
        """SELECT s.pk, s.num_events, s.size, s.facet_ids, s.measure_ids FROM dataset d JOIN search_dataset s ON s.pk = d.pk
           WHERE d.id = ?""",
        (dataset_id,),
    ).fetchone()
    if stored is None:
        return False
    entry = Entry(stored["pk"], "", {column: [] for column in TEXT_COLUMNS})
    names = []
    for resource_id, before in files.items():
        now = tx.execute(f"SELECT {FILE_COLUMNS} FROM resource WHERE id = ?", (resource_id,)).fetchone()
        if now is None or not _only_adds(tx, dataset_id, resource_id, before, now):
            return False
        add_resource(entry, *now)
        grade = tx.execute("SELECT grade FROM verdict WHERE resource_id = ?", (resource_id,)).fetchone()
        entry.facet("verdict", grade[0] if grade else None)
        if before is None:
            names.append(now["name"])
        else:
            entry.size -= before["size"] or 0
            entry.num_events -= before["event_count"] or 0
    ids = value_ids(tx, entry.values)
    facets, measures = set(json.loads(stored["facet_ids"])), set(json.loads(stored["measure_ids"]))
    spoken = [text for key, text in entry.spoken if ids[key, text] not in measures]
    tx.executemany(
        "INSERT OR IGNORE INTO search_posting VALUES (?, ?)",
        [(one, entry.pk) for one in ids.values() if one not in facets | measures],
    )
    tx.execute(
        "UPDATE search_dataset SET num_events = ?, size = ?, facet_ids = ?, measure_ids = ? WHERE pk = ?",
        (
            stored["num_events"] + entry.num_events,
            stored["size"] + entry.size,
            _list(facets | {ids[key] for key in entry.facets}),
            _list(measures | {ids[key] for key in entry.measures}),
            entry.pk,
        ),
    )
    if names or spoken:
        _add_words(tx, entry.pk, {"res_name": names, "more": spoken})
    tx.execute("UPDATE search_state SET version = version + 1")
    return True


def _only_adds(
    tx: sqlite3.Connection, dataset_id: str, resource_id: str, before: sqlite3.Row | None, now: sqlite3.Row
) -> bool:
    """Does nothing of what was indexed of a file go away?"""
    if before is None:
        return not now["description"]  # which may be that of another file, whose words are there once
    if (before["name"], before["description"]) != (now["name"], now["description"]):
        return False
    if before["format"] not in {"", now["format"]}:
        others = "SELECT 1 FROM resource WHERE dataset_id = ? AND format = ? AND id != ? LIMIT 1"
        if tx.execute(others, (dataset_id, before["format"], resource_id)).fetchone() is None:
            return False
    return all(_holds(json.loads(now[column]), json.loads(before[column])) for column in ("dc", "supplements"))


def _holds(now: Mapping[str, object], before: Mapping[str, object]) -> bool:
    return all(key in now and json.dumps(now[key]) == json.dumps(value) for key, value in before.items())


def _add_words(tx: sqlite3.Connection, pk: int, more: Mapping[str, Iterable[str]]) -> None:
    old = tx.execute(f"SELECT {', '.join(TEXT_COLUMNS)} FROM search_text WHERE rowid = ?", (pk,)).fetchone()
    added = {column: indexed(" ".join(dict.fromkeys(texts))) for column, texts in more.items()}
    texts = {column: f"{old[column]} {added.get(column, '')}".strip() for column in TEXT_COLUMNS}
    changed = [column for column in added if texts[column] != old[column]]
    if changed:
        sets = ", ".join(f"{column} = ?" for column in changed)
        tx.execute(f"UPDATE search_text SET {sets} WHERE rowid = ?", (*(texts[column] for column in changed), pk))
        tx.execute("UPDATE search_dataset SET digest = ? WHERE pk = ?", (digest_of(texts.values()), pk))


def _list(ids: set[int]) -> str:
    return json.dumps(sorted(ids), separators=(",", ":"))
