"""What could be meant by the beginning of a name: datasets, tags, formats, circles and collections."""

from __future__ import annotations

import sqlite3
from typing import Any

from appliance.model.viewer import Viewer
from appliance.store import visibility
from appliance.store.search import textmatch
from appliance.store.search.ast import ANY_RUN, Term
from appliance.store.search.fields import Text
from appliance.store.search.limits import time_limit

MAX_LIMIT = 100
#: Characters from which a part is looked for inside of words, as CKAN's index has it.
_SHORTEST_PART = 2


def packages(conn: sqlite3.Connection, text: str, viewer: Viewer, *, limit: int | None = 10) -> list[dict[str, Any]]:
    """Active datasets whose name or title has words that begin like those of `text`, best first, then those that hold it anywhere.

    :returns: ``[{name, title, match_field ("name" | "title"), match_displayed}]``
    """
    seen, parameters = visibility.condition(viewer)
    match = textmatch.of_term(Term("title", text.replace(ANY_RUN, "") + ANY_RUN), Text(("name", "title")))
    if match is None or match is textmatch.NO_WORDS:
        return []
    parameters |= {"text": text, "limit": _limit(limit)}
    with time_limit(conn):
        rows = conn.execute(
            f"""SELECT d.name, d.title FROM search_text CROSS JOIN dataset d ON d.pk = search_text.rowid
                WHERE search_text MATCH :match AND d.state = 'active' AND {seen} ORDER BY bm25(search_text), d.name LIMIT :limit""",
            parameters | {"match": match.find},
        ).fetchall()
        if len(rows) < _limit(limit) and len(text) >= _SHORTEST_PART:
            found = {row[0] for row in rows}
            inner = conn.execute(
                f"""SELECT d.name, d.title FROM dataset d WHERE (instr(lower(d.title), lower(:text)) OR instr(d.name, lower(:text)))
                    AND d.state = 'active' AND {seen} ORDER BY d.name LIMIT :limit""",
                parameters,
            ).fetchall()
            rows += [row for row in inner if row[0] not in found][: _limit(limit) - len(rows)]
    return [_package(row[0], row[1], text) for row in rows]


def _package(name: str, title: str, text: str) -> dict[str, Any]:
    by_name = text.lower() in name
    shown = name if by_name else f"{title} ({name})"
    return {"name": name, "title": title, "match_field": "name" if by_name else "title", "match_displayed": shown}


def tags(conn: sqlite3.Connection, text: str, viewer: Viewer, *, limit: int | None = 10) -> list[str]:
    """Tags on datasets that `viewer` may see whose name contains `text`, most used first."""
    return _values(conn, "tags", text, viewer, limit)


def formats(conn: sqlite3.Connection, text: str, viewer: Viewer, *, limit: int | None = 5) -> list[str]:
    """Formats of files in datasets that `viewer` may see that contain `text`, most used first."""
    return _values(conn, "res_format", text, viewer, limit)


def _values(conn: sqlite3.Connection, field: str, text: str, viewer: Viewer, limit: int | None) -> list[str]:
    seen, parameters = visibility.condition(viewer)
    with time_limit(conn):
        rows = conn.execute(
            f"""SELECT v.text FROM search_value v CROSS JOIN search_posting p ON p.value_id = v.id
                CROSS JOIN dataset d INDEXED BY dataset_listing ON d.pk = p.pk
                WHERE v.field_id = (SELECT id FROM search_field WHERE name = :field) AND instr(lower(v.text), lower(:text))
                  AND d.state = 'active' AND {seen} GROUP BY v.id ORDER BY count(*) DESC, v.text LIMIT :limit""",
            parameters | {"field": field, "text": text, "limit": _limit(limit)},
        ).fetchall()
    return [row[0] for row in rows]


def communities(conn: sqlite3.Connection, text: str, kind: str, *, limit: int | None = 20) -> list[dict[str, Any]]:
    """Active circles or collections (`kind`) whose name or title contains `text`: ``[{id, name, title}]``."""
    rows = conn.execute(
        """SELECT id, name, title FROM community WHERE kind = ? AND state = 'active'
             AND (instr(lower(name), lower(?2)) OR instr(lower(title), lower(?2))) ORDER BY name LIMIT ?3""",
        (kind, text, _limit(limit)),
    )
    return [{"id": row[0], "name": row[1], "title": row[2]} for row in rows]


def _limit(limit: int | None) -> int:
    return MAX_LIMIT if limit is None else max(0, min(limit, MAX_LIMIT))
