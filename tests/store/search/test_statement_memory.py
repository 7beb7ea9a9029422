"""Long searches that are never asked twice take no more memory the more of them there are."""

from __future__ import annotations

from pathlib import Path

from appliance.model.viewer import Viewer
from appliance.store.database import Database
from appliance.store.search import SearchQuery, package_search

EVERYBODY = Viewer(sees_public=True)


def resident() -> int:
    """Memory of this process [bytes]."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def asked(db: Database, terms: int) -> None:
    fq = " OR ".join(f"res_format:x{n:x}" if n % 2 else f"num_events:[{n} TO *]" for n in range(terms))
    with db.read() as conn:
        package_search(conn, SearchQuery(fq=(fq,), rows=1), EVERYBODY)


def test_long_statements_are_not_kept_without_end(tmp_path: Path) -> None:
    db = Database(tmp_path / "dcor.sqlite")
    db.create()
    for terms in range(500, 510):
        asked(db, terms)
    before = resident()
    for terms in range(510, 630):
        asked(db, terms)
    grown = resident() - before
    db.close()
    assert grown < 40 << 20  # 85 MB and more while 512 statements were kept
