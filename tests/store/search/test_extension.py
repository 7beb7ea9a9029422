"""One file of many: the index is what it would be made anew, and what is written does not grow with the number of the others."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.store import documents, resources
from appliance.store.database import Database
from appliance.store.search import index
from bench.catalogue import one_file

COLUMNS = ("name", "title", "tags", "collections", "authors", "notes", "res_name", "res_description", "more")


def entry(conn: sqlite3.Connection, dataset_id: str) -> dict[str, Any]:
    """What is indexed of a dataset, without what does not matter: ids of values, order and number of words."""
    pk = conn.execute("SELECT pk FROM dataset WHERE id = ?", (dataset_id,)).fetchone()[0]
    row = conn.execute("SELECT * FROM search_dataset WHERE pk = ?", (pk,)).fetchone()
    values = "SELECT f.name, v.text, v.number, v.words FROM search_value v JOIN search_field f ON f.id = v.field_id WHERE v.id IN"
    found = {
        name: {tuple(one) for one in conn.execute(f"{values} (SELECT value FROM json_each(?))", (row[column],))}
        for name, column in (("facets", "facet_ids"), ("measures", "measure_ids"))
    }
    posted = {tuple(one) for one in conn.execute(f"{values} (SELECT value_id FROM search_posting WHERE pk = ?)", (pk,))}
    words = conn.execute(f"SELECT {', '.join(COLUMNS)} FROM search_text WHERE rowid = ?", (pk,)).fetchone()
    return {
        **found,
        "posted": posted,
        "sums": (row["num_tags"], row["num_events"], row["size"]),
        "words": {column: set(words[column].split()) for column in COLUMNS},
    }


def remade(db: Database, dataset_id: str) -> dict[str, Any]:
    """The same after indexing the dataset anew, which is not kept."""

    class Enough(Exception):
        """Rolls back."""

    found: dict[str, Any] = {}
    with suppress(Enough), db.write() as tx:
        index.refresh(tx, [dataset_id])
        found = entry(tx, dataset_id)
        raise Enough
    return found


_VALUE = st.sampled_from([0, 1, True, 1.0, 2.5, "blood", "Blood cells", "7", ""])
_DC = st.dictionaries(st.sampled_from(["dc:experiment:sample", "dc:setup:identifier", "dc:setup:x"]), _VALUE)
_SP = st.dictionaries(st.sampled_from(["sp:a:b", "sp:a:c"]), _VALUE | st.lists(_VALUE, max_size=2))
_FILE = st.fixed_dictionaries(
    {
        "dc": _DC,
        "supplements": _SP,
        "description": st.sampled_from([None, "", "a blood sample"]),
        "format": st.sampled_from(["RT-DC", "RT-FDC"]),
        "event_count": st.sampled_from([None, 5, 700]),
        "size": st.sampled_from([0, 100]),
    }
)
_STEP = st.tuples(st.sampled_from(["add", "extend", "patch", "remove"]), st.integers(0, 5), _FILE)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(_STEP, min_size=1, max_size=3), min_size=1, max_size=6))
def test_whatever_happens_to_files_the_index_is_as_if_made_anew(
    tmp_path_factory: pytest.TempPathFactory, transactions: list[list[tuple[str, int, dict[str, Any]]]]
) -> None:
    db, dataset_id, ids = one_file.filled(tmp_path_factory.mktemp("index") / "data", 2, 5)
    count = 2
    for steps in transactions:
        with db.write() as tx:
            for what, which, values in steps:
                if what == "add" or not ids:
                    ids.append(one_file._create(tx, dataset_id, count, None))
                    count += 1
                elif what == "remove":
                    resources.remove(tx, ids.pop(which % len(ids)))
                elif what == "patch":
                    resources.patch(tx, ids[which % len(ids)], **values)
                else:  # as jobs and people do it: more becomes known
                    row = resources.get(tx, ids[which % len(ids)])
                    assert row is not None
                    more = {key: values[key] | json.loads(row[key]) for key in ("dc", "supplements")}
                    resources.patch(tx, row["id"], **more, event_count=values["event_count"])
        with db.read() as conn:
            kept = entry(conn, dataset_id)
            listed = documents.resources(conn, dataset_id)
            package = json.loads(documents.package(conn, dataset_id) or "")
        assert kept == remade(db, dataset_id)
        assert [one["position"] for one in package["resources"]] == list(range(len(ids)))
        assert [json.loads(text) for text in listed.values()] == package["resources"]
        with db.read() as conn:
            for one in package["resources"]:
                assert json.loads(documents.resource(conn, one["id"])) == one
                assert documents.position(conn, one["id"]) == one["position"]
    db.close()


@pytest.fixture(scope="module", params=[20, 1000])
def large(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = one_file.filled(tmp_path_factory.mktemp("large") / "data", request.param, 38)
    yield request.param, *made
    made[0].close()


def cost(db: Database, step: Any) -> tuple[int, int]:
    """(statements, bytes written into the log) of a transaction."""
    statements: list[str] = []
    one_file.empty_log(db)
    with db.write() as tx:
        tx.set_trace_callback(statements.append)
        step(tx)
        tx.complete()
        tx.set_trace_callback(None)
    return len(statements), one_file.log_size(db)


def test_one_file_costs_as_much_among_many_as_among_few(large: Any) -> None:
    """Of what the others have only their words and the list of their values are written again: 50 bytes a file each."""
    count, db, dataset_id, ids = large
    added: list[str] = []
    extra = 300 * count
    statements, written = cost(db, lambda tx: added.append(one_file._create(tx, dataset_id, count, None)))
    assert statements < 100
    assert written < 150_000 + extra
    note = {"dc": one_file.metadata(count, 38), "event_count": 7}
    statements, written = cost(db, lambda tx: resources.patch(tx, added[0], **note))
    assert statements < 100
    assert written < 150_000 + extra
    for one in (ids.pop(), ids.pop(0)):
        statements, written = cost(db, lambda tx, one=one: resources.remove(tx, one))
        assert statements < 100
        assert written < 200_000 + extra, "removal of the first one wrote 5 kB for each of the others"
