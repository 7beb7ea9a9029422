"""Who may use which address of a file or an upload, with which credential: every route that the gateway answers itself.

`access.txt` is the table. Run ``python -m tests.web.transfer.test_access_table`` to print it as it is now.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance.actions import accounts
from appliance.model import names
from appliance.model.viewer import OPERATOR
from appliance.store import gate_exports, uploads, users
from appliance.web import authentication, route_table
from appliance.web.transfer import presigned_links
from tests.support.server import DEADLINE, Person
from tests.web.api.permission_fixture import WHO, Dataset, World
from tests.web.api.probes import sign

TABLE = Path(__file__).with_name("access.txt")
#: Signs in a cell, in their order: a token for reading, for writing, for administration, and one that was revoked.
CREDENTIALS = ("read", "write", "admin", "revoked")
_CONTENT = b"bytes of a file\n"
#: Routes whose rule is left to the handler; none of them is about a file.
OPEN = {"call", "root", "_serve", "health"}

Ask = Callable[["Court", Person, str], requests.Response]
QUESTIONS: dict[str, tuple[str, str, Ask]] = {}


class Court:
    """A world in which everybody has a token of each kind (where administration was taken from them later), asked about one private and one draft dataset."""

    def __init__(self) -> None:
        self.world = World()
        self.world.appliance.service.jobs.stop(grace=5.0)
        self.private, self.draft = self.world.dataset("private"), self.world.dataset("draft")
        self.tokens = {column: self._tokens(person) for column, person in self.world.people.items()}

    def _tokens(self, person: Person) -> dict[str, str]:
        if not person.name:
            return dict.fromkeys(CREDENTIALS, "")
        context = self.world.context
        with self.world.context.db.read() as conn:
            sysadmin = bool((users.find(conn, person.id) or {})["sysadmin"])
        accounts.set_sysadmin(
            context, OPERATOR, person.name, True
        )  # tokens for administration are for administrators only
        made = {
            scope: accounts.create_token(
                context, OPERATOR, person.name, scope, scope="write" if scope == "revoked" else scope
            )
            for scope in CREDENTIALS
        }
        accounts.set_sysadmin(context, OPERATOR, person.name, sysadmin)
        accounts.revoke_token(context, OPERATOR, token_id=made["revoked"][1])
        return {scope: token for scope, (token, _) in made.items()}

    def send(self, token: str, method: str, path: str, **options: Any) -> requests.Response:
        """A request with a token ("" for none)."""
        headers = options.pop("headers", {}) | ({"Authorization": token} if token else {})
        return self.world.appliance.nobody.http.request(
            method, self.world.appliance.url + path, headers=headers, timeout=DEADLINE, **options
        )

    def upload(self, person: Person, kind: str, size: int = len(_CONTENT)) -> str:
        """Id of an upload that a person began while they had the right to."""
        upload_id = names.new_id()
        with self.world.context.db.write() as tx:
            uploads.create(
                tx, upload_id, names.new_id(), user_id=person.id or self.world.founder.id, kind=kind, size=size,
                lifetime=3600, circle_id=self.world.circle, dataset_id=self.draft.id, name=f"{upload_id}.txt",
            )  # fmt: skip
        return upload_id

    def received(self, upload_id: str) -> None:
        """All bytes of a browser's upload have come."""
        part = self.world.context.depot.new_part(upload_id)
        part.path.write_bytes(_CONTENT)
        part.close()
        with self.world.context.db.write() as tx:
            uploads.received(tx, upload_id, len(_CONTENT), 3600)

    def row(self, question: str) -> list[str]:
        """The cells of a question."""
        ask = QUESTIONS[question][2]
        return [
            "".join(_let_in(sign(ask(self, self.world.people[who], self.tokens[who][scope]))) for scope in CREDENTIALS)
            for who in WHO
        ]

    def stop(self) -> None:
        """End the world."""
        self.world.stop()


def _let_in(found: str) -> str:
    """On a busy machine no reader may be free (503) to find out that the file is none (409)."""
    return "!" if found == "503" else found


def _filled(path: str, one: Dataset) -> str:
    id_ = one.resource
    return path.format(
        id=one.id, name=one.name, resource=id_, object=f"/objects/resource/{id_[:3]}/{id_[3:6]}/{id_[6:]}"
    )


def _get(path: str) -> None:
    def ask(court: Court, person: Person, token: str) -> requests.Response:
        return court.send(token, "GET", _filled(path, court.private))

    QUESTIONS[f"GET {path}"] = ("GET", path, ask)


_RESOURCE = "/dataset/{id}/resource/{resource}"
for _path in (
    f"{_RESOURCE}/download/data.rtdc", f"{_RESOURCE}/condensed.rtdc", f"{_RESOURCE}/preview.jpg", f"{_RESOURCE}/columns.bin",
    f"{_RESOURCE}/event/0.json", f"{_RESOURCE}/pictures.json?events=0", f"{_RESOURCE}/export.csv", f"{_RESOURCE}/emodulus.bin?lut=LE-2D-FEM-19", "/dataset/{id}/download.zip", "/datasets.zip?dataset={id}", "/compare/export.csv?r={resource}",
    "/dataset/{id}/SHA256SUMS", "/organization/circle/SHA256SUMS", "{object}",
):  # fmt: skip
    _get(_path)


def _question(method: str, path: str) -> Callable[[Ask], Ask]:
    def declare(ask: Ask) -> Ask:
        QUESTIONS[f"{method} {path}"] = (method, path, ask)
        return ask

    return declare


@_question("GET", "/gate-export/{upload}")
def _export(court: Court, person: Person, token: str) -> requests.Response:
    """An export that a person asked for while they could read the file."""
    context, export_id = court.world.context, names.new_id()
    gate_exports.path(context.settings.tmp, export_id).write_bytes(_CONTENT)
    with context.db.write() as tx:
        owner, resource = person.id or court.world.founder.id, court.private.resource
        gate_exports.add(tx, export_id, resource, owner, names.new_id(), "gate.csv", "csv")
        gate_exports.finish(tx, export_id, events=1, size=len(_CONTENT), sha256="0" * 64)
    return court.send(token, "GET", f"/gate-export/{export_id}")


@_question("GET", "signed {object}")
def _object(court: Court, person: Person, token: str) -> requests.Response:
    """With the signature that the caller would get, and no token besides."""
    viewer = authentication.by_token(court.world.context, token, "")
    url, _ = presigned_links.object_link(court.world.context, viewer, court.private.resource, "resource")
    return court.send("", "GET", url.removeprefix(court.world.appliance.url))


@_question("POST", "/upload/browser")
def _begin(court: Court, person: Person, token: str) -> requests.Response:
    asked = {"dataset": court.draft.id, "name": f"{names.new_id()}.txt", "size": 5}
    return court.send(token, "POST", "/upload/browser", json=asked)


@_question("GET", "/upload/browser")
def _list(court: Court, person: Person, token: str) -> requests.Response:
    return court.send(token, "GET", "/upload/browser")


@_question("GET", "/upload/browser/{upload}")
def _show(court: Court, person: Person, token: str) -> requests.Response:
    return court.send(token, "HEAD", f"/upload/browser/{court.upload(person, 'browser')}")


@_question("PATCH", "/upload/browser/{upload}")
def _append(court: Court, person: Person, token: str) -> requests.Response:
    path = f"/upload/browser/{court.upload(person, 'browser')}"
    return court.send(token, "PATCH", path, data=_CONTENT, headers={"Upload-Offset": "0"})


@_question("DELETE", "/upload/browser/{upload}")
def _discard(court: Court, person: Person, token: str) -> requests.Response:
    return court.send(token, "DELETE", f"/upload/browser/{court.upload(person, 'browser')}")


@_question("POST", "/upload/browser/{upload}/finish")
def _finish(court: Court, person: Person, token: str) -> requests.Response:
    upload_id = court.upload(person, "browser")
    court.received(upload_id)
    return court.send(token, "POST", f"/upload/browser/{upload_id}/finish", json={})


def _signed(court: Court, person: Person, token: str, path: str, method: str, data: bytes) -> requests.Response:
    """To the address as it was given to the caller, who may have lost token or right since. No token goes with it."""
    viewer = authentication.by_token(court.world.context, token, "")
    url = presigned_links.upload_link(court.world.context, viewer, path)
    return court.send("", method, url.removeprefix(court.world.appliance.url), data=data)


@_question("PUT", "/upload/{upload}/1")
def _part(court: Court, person: Person, token: str) -> requests.Response:
    return _signed(court, person, token, f"/upload/{court.upload(person, 'direct')}/1", "PUT", _CONTENT)


@_question("POST", "/upload/{upload}/complete")
def _complete(court: Court, person: Person, token: str) -> requests.Response:
    """400 from here is the answer to somebody who is let in: no part has come yet."""
    return _signed(court, person, token, f"/upload/{court.upload(person, 'direct')}/complete", "POST", b"<x/>")


def rows() -> dict[str, list[str]]:
    """The table: question → a cell for each of `WHO`."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {line.partition("|")[0].strip(): line.partition("|")[2].split() for line in lines}


@pytest.fixture(scope="module")
def court() -> Iterator[Court]:
    """One for all tests of this module; what they change is their own."""
    made = Court()
    yield made
    made.stop()


def test_every_route_is_in_the_table() -> None:
    words = dict.fromkeys(("id", "name", "resource", "upload"), names.new_id()) | {
        "object": "/objects/resource/abc/def/12-1234-4123-8123-123456789012"
    }
    asked = [(method, path.format(**words).partition("?")[0]) for method, path, _ in QUESTIONS.values()]
    missing = [
        (route.pattern.pattern, method)
        for route in route_table.routes()
        for method in route.methods
        if route.rule != "open"
        and route.pattern.pattern != "/metrics"
        and not any(one == method and route.pattern.fullmatch(path) for one, path in asked)
    ]
    assert missing == []
    assert sorted(rows()) == sorted(QUESTIONS)


def test_no_route_about_a_file_leaves_the_question_to_its_handler() -> None:
    assert {route.handler.__name__ for route in route_table.routes() if route.rule == "open"} == OPEN


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_table_holds(court: Court, question: str) -> None:
    assert dict(zip(WHO, court.row(question), strict=True)) == dict(zip(WHO, rows()[question], strict=True))


if __name__ == "__main__":
    made = Court()
    for name in QUESTIONS:
        sys.stdout.write(f"{name:<58} | {'  '.join(made.row(name))}\n")
        sys.stdout.flush()
    made.stop()
