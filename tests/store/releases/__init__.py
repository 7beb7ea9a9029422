"""Databases as each release left them, one SQL file a release; later releases have to take them up.

`python -m tests.store.releases` writes that of the version in the source. Run it before a release, and again when a schema
step is added before it is out; never for a version that is out.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

FOLDER = Path(__file__).parent
PASSWORD = "a good long phrase"


def stored() -> list[Path]:
    """The databases, oldest release first."""
    return sorted(FOLDER.glob("*.sql"), key=lambda path: [int(part) for part in path.stem.split(".")])


def dump(database: Path, target: Path, notes: dict[str, str]) -> None:
    """Write a closed database as SQL, with `notes` for the tests as comments at its top."""
    with closing(sqlite3.connect(database)) as conn:
        lines = [f"-- {key}: {value}" for key, value in notes.items()]
        lines += _statements(conn)
        lines.append(f"PRAGMA user_version = {conn.execute('PRAGMA user_version').fetchone()[0]};")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _statements(conn: sqlite3.Connection) -> Iterator[str]:
    """Tables with their rows, then what hangs on them. What a full-text index keeps in tables of its own goes with these."""
    order = "CASE type WHEN 'table' THEN 0 ELSE 1 END, rowid"
    things = conn.execute(
        f"SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY {order}"
    ).fetchall()
    yield "BEGIN;"
    virtual = [thing for thing in things if thing[3].startswith("CREATE VIRTUAL TABLE")]
    for kind, name, _table, sql in things:
        if sql.startswith("CREATE VIRTUAL TABLE"):
            continue
        yield f"{sql};"
        if kind == "table":
            columns = [row[1] for row in conn.execute(f"PRAGMA table_info('{name}')")]
            values = " || ',' || ".join(f'quote("{column}")' for column in columns)
            for (row,) in conn.execute(f'SELECT {values} FROM "{name}"'):
                yield f'INSERT INTO "{name}" VALUES ({row});'
    yield "PRAGMA writable_schema = ON;"
    for kind, name, table, sql in virtual:
        (values,) = conn.execute(
            "SELECT quote(?) || ',' || quote(?) || ',' || quote(?) || ',0,' || quote(?)", (kind, name, table, sql)
        ).fetchone()
        yield f"INSERT INTO sqlite_master VALUES ({values});"
    yield "PRAGMA writable_schema = OFF;"
    yield "COMMIT;"


def load(source: Path, database: Path) -> dict[str, str]:
    """Make the database that `source` describes; returns its notes."""
    text = source.read_text(encoding="utf-8")
    with closing(sqlite3.connect(database)) as conn:
        conn.executescript(text)
    return dict(re.findall(r"^-- (\w+): (.*)$", text, re.MULTILINE))
