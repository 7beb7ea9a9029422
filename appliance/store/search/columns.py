"""Facet columns in memory, for counting values over many hits at once.

A column is a list of values and, one after the other, the row numbers of the datasets that have each. It is read when it is
first needed and cached under the version of the index; what a viewer may see is not in it, that is decided by the rows that a
search has found.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.store.cache import Cache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_VALUES = 20_000  # a field with more, such as a time, is nothing to choose from


@dataclass(frozen=True, slots=True)
class Column:
    """The values of one field: about 4 bytes for each value of each dataset.

    :ivar texts: the values.
    :ivar starts: where the rows of each value start in `rows`.
    :ivar rows: row numbers of datasets, int32.
    """

    texts: list[str]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]


class Hits:
    """Row numbers of found datasets, ready to be counted over by any number of columns.

    :param text: the row numbers with commas between.
    """

    def __init__(self, text: str) -> None:
        import numpy as np

        self._found = np.fromstring(text, dtype=np.int64, sep=",")
        self._mask = np.zeros(int(self._found.max(initial=0)) + 1, dtype=bool)
        self._mask[self._found] = True

    def counts(self, conn: sqlite3.Connection, field: str, cache: Cache | None) -> list[tuple[str, int]]:
        """How many of the datasets have each value of `field`; values without hits are left out."""
        import numpy as np

        column = _column(conn, field, cache)
        if not column.texts or not self._found.size:
            return []
        last = int(column.rows.max())
        if last >= self._mask.size:
            self._mask = np.concatenate([self._mask, np.zeros(last + 1 - self._mask.size, dtype=bool)])
        numbers = np.add.reduceat(self._mask[column.rows], column.starts, dtype=np.int64)
        return [(column.texts[place], int(numbers[place])) for place in np.flatnonzero(numbers)]


def _column(conn: sqlite3.Connection, field: str, cache: Cache | None) -> Column:
    if cache is None or conn.in_transaction:
        return _read(conn, field)
    token, version = conn.execute("SELECT token, version FROM search_state").fetchone()
    return cache.get_lasting(("column", token, version, field), lambda: _read(conn, field))


def _read(conn: sqlite3.Connection, field: str) -> Column:
    """One string of row numbers a value: far cheaper than one tuple a row. Without values if there are too many."""
    import numpy as np

    rows = conn.execute(
        """SELECT v.text, (SELECT group_concat(p.pk) FROM search_posting p WHERE p.value_id = v.id) AS pks FROM search_value v
           WHERE v.field_id = (SELECT id FROM search_field WHERE name = ?) LIMIT ?""",
        (field, MOST_VALUES + 1),
    ).fetchall()
    rows = [row for row in rows if row[1]] if len(rows) <= MOST_VALUES else []
    sizes = [row[1].count(",") + 1 for row in rows]
    joined = (
        np.fromstring(",".join(row[1] for row in rows), dtype=np.int64, sep=",").astype(np.int32)
        if rows
        else np.zeros(0, np.int32)
    )
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) if rows else np.zeros(0, np.int64)
    return Column([row[0] for row in rows], starts, joined)
