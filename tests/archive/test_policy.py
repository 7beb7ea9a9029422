"""Which originals are moved: those of active datasets, by age, size and circle, when nothing is left to be done with them."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.archive import access
from appliance.archive.moving import Mover
from appliance.archive.object_store import ArchiveAway, parse_address
from appliance.archive_settings import Archive
from appliance.model.problem import Problem
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person

BUCKET = {"depot.archive": "s3://dcor", "archive.endpoint": "https://s3.hospital.example", "archive.access_key": "DCOR"}


def due(appliance: Appliance, **more: Any) -> list[str]:
    """Names of the datasets whose files a run would move."""
    context = appliance.context
    wanted = {"archive.after_days": 0, "archive.least_size": 0} | more
    settings = context.settings.replace(**BUCKET, **wanted)
    return [str(row["dataset"]) for row in Mover(context.db, context.depot, settings).candidates()]


def dataset(owner: Person, circle: str, *, active: bool = True) -> str:
    """A dataset with a measurement whose jobs are done. → its name."""
    made = owner.draft(circle, title=f"Of {circle}")
    file = owner.add(made["id"], synthetic())
    if active:
        owner.activate(made["id"])
    owner.appliance.jobs_done(file["id"])
    return str(made["name"])


def test_by_age_size_and_circle(shared: Appliance) -> None:
    owner = shared.person("policy")
    for circle in ("blood", "cells"):
        owner.circle(circle)
    blood, cells = dataset(owner, "blood"), dataset(owner, "cells")
    dataset(owner, "blood", active=False)
    assert due(shared) == [blood, cells]
    assert due(shared, **{"archive.circles": "cells"}) == [cells]
    assert due(shared, **{"archive.circles": "cells blood"}) == [blood, cells]
    assert due(shared, **{"archive.circles": "none"}) == []
    assert due(shared, **{"archive.after_days": 1}) == []
    assert due(shared, **{"archive.least_size": synthetic().stat().st_size}) == [blood, cells]
    assert due(shared, **{"archive.least_size": synthetic().stat().st_size + 1}) == []
    assert due(shared, **{"clamav.socket": "clamd.ctl"}) == [], "not scanned yet"


def test_what_is_not_set_up_is_refused(shared: Appliance) -> None:
    context = shared.context
    with pytest.raises(Problem, match="No archive is set up"):
        Mover(context.db, context.depot, context.settings).run()
    with pytest.raises(Problem, match=r"Set depot\.archive"):
        access.set_secret(context.settings, "secret")
    with pytest.raises(ArchiveAway, match="no secret key is stored"):
        Mover(context.db, context.depot, context.settings.replace(**BUCKET)).run()


def test_a_secret_belongs_to_one_endpoint_and_key(shared: Appliance) -> None:
    settings = shared.context.settings.replace(**BUCKET)
    access.set_secret(settings, "secret of the hospital")
    assert access.read_secret(settings) == "secret of the hospital"
    for key, value in {"archive.endpoint": "https://elsewhere.example", "archive.access_key": "OTHER"}.items():
        assert access.read_secret(settings.replace(**{key: value})) == ""


@pytest.mark.parametrize(
    ("archive", "endpoint"),
    [
        ("dcor", "https://s3.example"),
        ("s3://", "https://s3.example"),
        ("s3://Up", "https://s3.example"),
        ("s3://dcor/../other", "https://s3.example"),
        ("s3://dcor", ""),
        ("s3://dcor", "http://s3.example"),
        ("s3://dcor", "https://key:secret@s3.example"),
        ("s3://dcor", "https://s3.example/path"),
        ("s3://dcor", "https://s3.example/api/3"),
        ("s3://dcor", "https://s3.example?x"),
        ("s3://dcor", "https://s3.example#x"),
        ("s3://dcor", "https://s3.example:port"),
        ("s3://dcor", "https://[s3"),
    ],
)
def test_other_addresses_are_refused(archive: str, endpoint: str) -> None:
    with pytest.raises(Problem):
        parse_address(archive, Archive(endpoint=endpoint))


def test_an_address() -> None:
    found = parse_address("s3://dcor/of/us/", Archive(endpoint="https://S3.example:9000"))
    assert (found.place, found.prefix) == ("https://s3.example:9000/dcor", "of/us/")
    for same in ("https://s3.example", "https://s3.example:443/", "HTTPS://S3.example"):
        assert parse_address("s3://dcor", Archive(endpoint=same)).place == "https://s3.example/dcor"
