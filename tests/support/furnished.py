"""A furnished appliance, and visitors with a browser's manners."""

from __future__ import annotations

from typing import Any

import requests

from appliance.actions import communities, sharing
from appliance.model.viewer import OPERATOR
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person

PASSWORD = "correct horse 1 battery"


class Visitor:
    """Somebody at a browser: cookies, and the headers that browsers send with their forms."""

    def __init__(self, appliance: Appliance, name: str = "", language: str = "en") -> None:
        self.appliance, self.name = appliance, name
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(appliance.certificate)
        self.http.headers.update({"Sec-Fetch-Site": "same-origin", "Accept-Language": language})
        if name:
            answer = self.post("/user/login", login=name, password=PASSWORD)
            assert answer.status_code == 303, answer.text

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET without following redirects."""
        return self.http.get(self.appliance.url + path, allow_redirects=False, timeout=60, **options)

    def page(self, path: str) -> str:
        """The HTML of a page that must be there."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:500])
        return answer.text

    def post(self, path: str, **fields: Any) -> requests.Response:
        """Send a form without following redirects."""
        return self.http.post(self.appliance.url + path, data=fields, allow_redirects=False, timeout=60)


class House:
    """An appliance with people, circles, collections and datasets in every state."""

    def __init__(self, appliance: Appliance) -> None:
        self.appliance = appliance
        self.people: dict[str, Person] = {"root": appliance.person("root", sysadmin=True, password=PASSWORD)}
        for name in ("ada", "max", "eve", "kim"):
            self.people[name] = appliance.person(name, password=PASSWORD)
        ada = self.people["ada"]
        ada.circle("lab")
        communities.set_member(appliance.context, OPERATOR, "circle", "lab", "max", "editor")
        communities.create(appliance.context, OPERATOR, "collection", {"name": "study", "title": "Study of blood"})
        communities.set_member(appliance.context, OPERATOR, "collection", "study", "kim", "member")
        communities.set_member(appliance.context, OPERATOR, "collection", "study", "ada", "admin")
        self.public, self.file = self.dataset("Public beads", private=False, tags=["beads"], activate=True, wait=True)
        self.private, self.private_file = self.dataset("Private blood", private=True, tags=["blood"], activate=True)
        self.draft, self.draft_file = self.dataset("Draft of neutrophils", private=True, notes="**bold** <b>x</b>")
        self._visitors: dict[tuple[str, str], Visitor] = {}

    def dataset(
        self, title: str, *, activate: bool = False, wait: bool = False, tags: list[str] | None = None, **fields: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """A dataset of Ada's with one measurement: (dataset, resource)."""
        ada = self.people["ada"]
        made = ada.draft("lab", title=title, tags=[{"name": tag} for tag in tags or []], **fields)
        file = ada.add(made["id"], synthetic(), "M1_beads.rtdc")
        if wait:
            self.appliance.jobs_done(file["id"])
        if activate:
            made = ada.activate(made["id"])
        return made, file

    def visitor(self, name: str = "", language: str = "en") -> Visitor:
        """A signed-in (or, without a name, unknown) visitor; the same one each time."""
        key = (name, language)
        if key not in self._visitors:
            self._visitors[key] = Visitor(self.appliance, name, language)
        return self._visitors[key]

    def share(self, dataset_id: str, name: str, capacity: str) -> None:
        """Share a dataset."""
        sharing.share(self.appliance.context, OPERATOR, dataset_id, name, capacity)
