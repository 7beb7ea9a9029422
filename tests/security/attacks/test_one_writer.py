"""One user who sends as much as he can does not keep the others from changing anything."""

from __future__ import annotations

import json
import threading

from appliance.actions import dataset_fields, datasets
from appliance.model import extras
from tests.support.furnished import House


def test_more_tags_than_anybody_needs_are_refused(house: House) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab")
    most = dataset_fields.MOST_TAGS
    listed = [{"name": f"tag {number}"} for number in range(most)]
    assert ada.post("package_patch", id=made["id"], tags=listed).result["num_tags"] == most
    refused = ada.post("package_patch", id=made["id"], tags=[{"name": f"tag {number}"} for number in range(60_000)])
    assert refused.status == 409
    assert refused.error["tags"] == [f"At most {most} tags are accepted"]


def test_other_long_lists_are_refused(house: House) -> None:
    ada = house.people["ada"]
    made = ada.draft("lab")
    for field, entry, most in (
        ("groups", {"name": "a"}, dataset_fields.MOST_COLLECTIONS),
        ("extras", {"key": "a", "value": "b"}, extras.MOST),
        ("resources", {"name": "a.txt"}, datasets.MOST_ADDED),
    ):
        refused = ada.post("package_patch", id=made["id"], **{field: [entry] * (most + 1)})
        assert refused.status == 409
        assert f"At most {most}" in json.dumps(refused.error)


def test_others_write_while_one_user_keeps_the_writer_busy(house: House) -> None:
    """Four threads of one user patch 200 tags each, over and over; another user's changes come in between."""
    ada, eve = house.people["ada"], house.people["eve"]
    made = ada.draft("lab")
    db = house.appliance.context.db
    stop = threading.Event()

    def patch(number: int) -> None:
        from tests.security.attacks.test_races import twin

        own = twin(ada)
        while not stop.is_set():
            number += 1
            own.post("package_patch", id=made["id"], tags=[{"name": f"t{number} {one}"} for one in range(200)])

    threads = [threading.Thread(target=patch, args=(1000 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            assert eve.post("api_token_create", user=eve.name, name="t").status == 200
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    use = db._write_lock._use
    assert use.by(ada.id) > use.by(eve.id)
