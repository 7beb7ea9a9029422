"""The server as CKAN's tests see it: actions by HTTPS, CKAN's exceptions, and what DCOR demands of every dataset.

Runs in the environment of CKAN, which is not that of this project.
"""

from __future__ import annotations

import datetime
import json
import os
import socket
from contextlib import suppress
from typing import Any

import ckan.logic as logic
import requests
from ckan.lib.navl.dictization_functions import DataError
from ckan.lib.search.common import SearchError, SearchQueryError

#: Name of the administrator that stands for CKAN's site user, and of the circle of datasets for which a test names none.
SITE_USER, CIRCLE = os.environ.get("DCOR_SUITE_ADMIN", "admin"), "suite-circle"
#: Name of the tokens with which users act.
TOKEN = "suite"
_DEADLINE = 120


class Server:
    """Who asks what."""

    def __init__(self) -> None:
        self._url = os.environ["DCOR_SUITE_URL"] + "/api/3/action/"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = os.environ["DCOR_SUITE_CERT"]
        self._tokens = {SITE_USER: os.environ["DCOR_SUITE_TOKEN"], "": ""}
        self._names: dict[str, str] = {}

    def ask(self, user: str, action: str, data: dict[str, Any]) -> Any:
        """Call an action; raises CKAN's exceptions."""
        headers = {"Authorization": self._token(user)}
        sent = {key: value for key, value in data.items() if not _is_file(value)}
        files = {key: value for key, value in data.items() if _is_file(value)}
        body = json.dumps(sent, default=_plain)
        if files:
            parts: list[Any] = [
                (key, (None, value if isinstance(value, str) else json.dumps(value, default=_plain)))
                for key, value in sent.items()
            ]
            parts += [(key, (value.filename, value.stream.read())) for key, value in files.items()]
            answer = self._http.post(self._url + action, files=parts, headers=headers, timeout=_DEADLINE)
        else:
            headers["Content-Type"] = "application/json"
            answer = self._http.post(self._url + action, data=body, headers=headers, timeout=_DEADLINE)
        return _result(answer)

    def is_user(self, name: Any) -> bool:
        """Has this name (or id) a living account?"""
        if not isinstance(name, str) or not name:
            return False
        try:
            return self._token(name) != ""
        except logic.ActionError:
            return False

    def _token(self, user: str) -> str:
        if user not in self._tokens:
            made = self.ask(SITE_USER, "api_token_create", {"user": user, "name": TOKEN})
            self._tokens[user] = made["token"]
        return self._tokens[user]

    def forget(self) -> None:
        """Remove all users, datasets, circles and collections: what CKAN's `clean_db` does."""

        def ask(action: str, **data: Any) -> Any:
            return self.ask(SITE_USER, action, data)

        while found := ask(
            "package_search", include_drafts=True, include_private=True, include_deleted=True, rows=1000
        )["results"]:
            for package in found:
                with suppress(logic.ActionError):
                    ask("package_delete", id=package["id"])
                ask("dataset_purge", id=package["id"])
        for word in ("group", "organization"):
            for name in ask(f"{word}_list"):
                ask(f"{word}_purge", id=name)
        for user in ask("user_list", all_fields=True):
            if user["name"] != SITE_USER and user["state"] == "active":
                ask("user_delete", id=user["id"])
        self._tokens = {SITE_USER: self._tokens[SITE_USER], "": ""}
        control("reset")  # names and addresses of deleted users are kept for good


def control(order: str) -> None:
    """Have something done in the database that no request can."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(os.environ["DCOR_SUITE_CONTROL"])
        line.sendall(order.encode())
        assert line.recv(1) == b"1"


def _is_file(value: Any) -> bool:
    return hasattr(value, "stream")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    raise TypeError(f"{type(value)} does not fit into JSON")


def _result(answer: requests.Response) -> Any:
    said = answer.json()
    if answer.status_code == 200:
        return said["result"]
    if isinstance(said, str):
        raise KeyError(said)
    error = dict(said["error"])
    kind = error.pop("__type", "")
    message = error.get("message", json.dumps(error))
    plain = {
        "Authorization Error": logic.NotAuthorized,
        "Not Found Error": logic.NotFound,
        "Search Error": SearchError,
        "Search Query Error": SearchQueryError,
        "Integrity Error": DataError,
    }
    if kind in plain:
        text = message.partition(": ")[2] if kind in ("Authorization Error", "Not Found Error") else message
        raise plain[kind](text or message)
    if kind == "Validation Error":
        raise logic.ValidationError(error)
    raise AssertionError(f"{answer.status_code} {said}")


#: The one that is asked.
server = Server()
