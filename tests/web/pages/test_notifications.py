"""Notifications in the page and by mail: what happened, to whom it matters, as far as they want to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.actions import communities, mailing, notifying, sharing
from appliance.external_settings import Mail
from appliance.model import notices, times
from appliance.model.viewer import OPERATOR
from tests.support.furnished import House

SERVER = Mail(server="mail.example:25")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, str]]]:
    """Mails as (recipient, subject, text), caught where they would leave."""
    found: list[tuple[str, str, str]] = []
    monkeypatch.setattr(
        mailing, "send", lambda settings, recipient, subject, text, **_: found.append((recipient, subject, text))
    )
    return found


def choose(house: House, name: str, **mail: str) -> None:
    """How a person wants to be told by mail; all in the page."""
    fields = {f"page:{kind}": "on" for kind in notices.KINDS} | {f"mail:{kind}": how for kind, how in mail.items()}
    assert house.visitor(name).post("/notifications/choices", **fields).status_code == 303


def mails(house: House) -> int:
    """Let the job's verb send what is due."""
    context = house.appliance.context
    return notifying.send_mails(context.db, replace(context.settings, mail=SERVER))


def test_sharing_and_changes_are_told_to_those_they_concern(house: House) -> None:
    made, _file = house.dataset("Told of", private=True)
    eve, max_ = house.visitor("eve"), house.visitor("max")
    house.share(made["id"], "eve", "member")
    assert "shared this dataset with you" in eve.page("/notifications")
    assert "bell-dot" in eve.page("/")
    max_.post(f"/dataset/{made['id']}/follow")
    max_.post(f"/dataset/{made['id']}/edit", title="Told of", notes="by Max himself")
    assert "Told of" not in max_.page("/notifications"), "one's own changes are no news"
    house.visitor("ada").post(f"/dataset/{made['id']}/edit", title="Told of", notes="by Ada")
    house.visitor("ada").post(f"/dataset/{made['id']}/edit", title="Told of", notes="by Ada again")
    assert max_.page("/notifications").count(">Told of</a>") == 1, "said once until it was read"
    page = eve.page("/notifications")
    latest = page.split('name="until" value="')[1].split('"')[0]
    assert eve.post("/notifications", until=latest).status_code == 303
    assert "bell-dot" not in eve.page("/")
    house.visitor("ada").post(f"/dataset/{made['id']}/unshare", username="eve", confirmed="yes")
    assert "Told of" not in eve.page("/notifications"), "what one may no longer see"


def test_followers_of_the_earlier_version_hear_of_the_new_one(house: House) -> None:
    old, _file = house.dataset("First edition", activate=True, private=True)
    house.visitor("max").post(f"/dataset/{old['id']}/follow")
    made = house.people["ada"].post("dataset_version_create", id=old["id"]).result
    assert made["id"] not in house.visitor("max").page("/notifications")
    house.people["ada"].activate(made["id"])
    assert made["id"] in house.visitor("max").page("/notifications")


def test_uploaders_hear_once_when_their_files_are_checked_or_failed(house: House) -> None:
    context = house.appliance.context
    notifying.tell_of_uploads(context.db)
    _good, file = house.dataset("All fine", private=True)
    _bad, broken = house.dataset("One is broken", private=True)
    house.appliance.jobs_done(file["id"])
    house.appliance.jobs_done(broken["id"])
    with context.db.write() as tx:
        tx.execute(
            "UPDATE job SET state = 'failed', finished = ? WHERE resource_id = ? AND kind = 'condense'",
            (times.now(), broken["id"]),
        )
    notifying.tell_of_uploads(context.db)
    page = house.visitor("ada").page("/notifications")
    assert "Your file was checked." in page.split("All fine")[1].split("</li>")[0]
    assert "could not be processed" in page.split("One is broken")[1].split("</li>")[0]
    count = page.count("All fine")
    notifying.tell_of_uploads(context.db)
    assert house.visitor("ada").page("/notifications").count("All fine") == count


def test_mail_goes_only_where_it_is_wanted_and_names_nothing(house: House, sent: list[tuple[str, str, str]]) -> None:
    made, _file = house.dataset("Secret title", private=True)
    house.share(made["id"], "kim", "member")
    assert mails(house) == 0, "off unless it is chosen"
    choose(house, "kim", shared="soon")
    assert mails(house) == 1
    ((recipient, subject, text),) = sent
    assert recipient == "kim@example.org" or recipient.startswith("kim")
    assert "Secret title" not in subject + text
    assert f"/dataset/{made['id']}" in text
    assert mails(house) == 0, "each once"


def test_a_daily_digest_waits_for_its_day_and_holds_all(house: House, sent: list[tuple[str, str, str]]) -> None:
    choose(house, "eve", shared="daily", changed="daily")
    ids = []
    for number in (1, 2):
        made, _file = house.dataset(f"Daily {number}", private=True)
        house.share(made["id"], "eve", "member")
        ids.append(made["id"])
    assert mails(house) == 0
    with house.appliance.context.db.write() as tx:
        tx.execute("UPDATE notification SET at = '2026-01-01T00:00:00.000000' WHERE dataset_id = ?", (ids[0],))
    assert mails(house) == 1
    assert all(one in sent[0][2] for one in ids)


def test_what_is_switched_off_is_not_told(house: House) -> None:
    visitor = house.visitor("kim")
    assert visitor.post("/notifications/choices", **{"mail:shared": "off"}).status_code == 303
    made, _file = house.dataset("Not to be told", private=True)
    house.share(made["id"], "kim", "member")
    assert "Not to be told" not in visitor.page("/notifications")
    assert visitor.post("/notifications/choices", **{"mail:shared": "hourly"}).status_code == 400


def test_who_lost_the_right_to_a_dataset_is_told_nothing_more(house: House, sent: list[tuple[str, str, str]]) -> None:
    old, _file = house.dataset("Ends for Kim", activate=True, private=True)
    kim = house.visitor("kim")
    kim.page("/notifications")
    house.share(old["id"], "kim", "member")
    choose(house, "kim", changed="soon", shared="off")
    assert kim.post(f"/dataset/{old['id']}/follow").status_code == 303
    kim.post("/notifications", until="999999")
    sharing.unshare(house.appliance.context, OPERATOR, old["id"], "kim")
    made = house.people["ada"].post("dataset_version_create", id=old["id"]).result
    house.people["ada"].activate(made["id"])
    assert "bell-dot" not in kim.page("/")
    assert mails(house) == 0
    assert sent == []
    house.share(made["id"], "kim", "member")
    assert mails(house) == 0, "what came meanwhile is settled"


def test_requests_concern_admins_of_the_circle_only_while_they_are(
    house: House, sent: list[tuple[str, str, str]]
) -> None:
    old, _file = house.dataset("Asked for", private=True)
    communities.set_member(house.appliance.context, OPERATOR, "circle", "lab", "max", "admin")
    choose(house, "max", request="soon")
    assert house.visitor("eve").post(f"/dataset/{old['id']}/request-access", message="Please").status_code == 200
    assert "Asked for" in house.visitor("max").page("/notifications")
    communities.set_member(house.appliance.context, OPERATOR, "circle", "lab", "max", "editor")
    assert "Asked for" not in house.visitor("max").page("/notifications")
    assert mails(house) == 0
    assert sent == []
