"""What lies in the CKAN that is pulled from: people, circles, a collection, datasets of every kind, through CKAN's own API."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from appliance.demo import synthetic
from tests.contract.ckan_peer.installation import Installation

PEOPLE = ("ada", "max", "eve")
_LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0")


@dataclass
class Content:
    """Tokens by user name, ids by name, and what was sent for each file."""

    tokens: dict[str, str] = field(default_factory=dict)
    circles: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)


def fill(ckan: Installation, folder: Path, count: int = 200) -> Content:
    """Three people, two circles, a collection and `count` datasets; every eighth is a draft, every third is private."""
    made = Content()
    for name in PEOPLE:
        fields = {
            "name": name,
            "email": f"{name}@example.org",
            "password": "correct horse battery",
            "fullname": name.title(),
        }
        ckan.ask("user_create", **fields, about=f"I am {name}.")
        made.tokens[name] = ckan.ask("api_token_create", user=name, name="tests")["token"]
    for number, name in enumerate(("blood", "beads")):
        members = [
            {"name": "ada", "capacity": "admin"},
            {"name": PEOPLE[1 + number], "capacity": ("editor", "member")[number]},
        ]
        extras = [{"key": "room", "value": f"{number}.1"}]
        fields = {"title": name.title(), "description": "Cells & Größen", "image_url": "https://example.org/i.png"}
        made.circles[name] = ckan.ask("organization_create", name=name, users=members, extras=extras, **fields)["id"]
    ckan.ask("group_create", name="study", title="The study", users=[{"name": "eve", "capacity": "member"}])
    paths = [folder / f"M{number}.rtdc" for number in range(4)]
    for number, path in enumerate(paths):
        synthetic.write(path, events=20 + number, shape=(40, 80), channel_width=10.0, kind="beads")
    (folder / "notes.txt").write_text("Room temperature: 22 °C\n", encoding="utf-8")
    paths.append(folder / "notes.txt")
    with ThreadPoolExecutor(2) as pool:
        for name, dataset_id in pool.map(lambda number: _dataset(ckan, made, number, paths), range(count)):
            made.datasets[name] = dataset_id
    ckan.work()
    return made


def _dataset(ckan: Installation, made: Content, number: int, paths: list[Path]) -> tuple[str, str]:
    draw = random.Random(number)
    circle = ("blood", "beads")[number % 2]
    token = made.tokens["ada"]
    fields = {
        "title": f"Dataset {number} — Größe", "authors": "Ada Lovelace, Max Planck", "owner_org": circle,
        "license_id": _LICENCES[number % 3], "private": number % 3 == 2, "notes": f"*Number* {number}\n\n* one\n* two",
        "references": "doi:10.1000/182, https://example.org/paper", "doi": f"10.5555/{number}" if number % 5 == 0 else "",
        "tags": [{"name": f"tag-{number % 7}"}, {"name": "RT-DC"}],
    }  # fmt: skip
    dataset = ckan.ask("package_create", token, **fields, state="draft")
    for place in range(draw.choice((1, 1, 2))):
        path = paths[draw.randrange(4)] if not place else paths[-1]
        add(ckan, token, dataset, path, path.name, supplements=number % 4 == 0 and not place)
    if number % 8 != 7:
        ckan.ask("package_revise", token, match__id=dataset["id"], update={"state": "active"})
    if number % 10 == 0:
        ckan.ask("member_create", id="study", object=dataset["id"], object_type="package", capacity="public")
    if number % 20 == 2:
        ckan.ask("package_collaborator_create", id=dataset["id"], user_id="eve", capacity="editor")
    return dataset["name"], dataset["id"]


def add(
    ckan: Installation, token: str, dataset: dict[str, Any], path: Path, name: str, *, supplements: bool = False
) -> str:
    """Send a file as DCOR-Aid does; → its id."""
    circle, size = dataset["organization"]["id"], path.stat().st_size
    places = ckan.ask("resource_upload_s3_urls", token, organization_id=circle, file_size=size)
    put = requests.put(places["upload_urls"][0], data=path.read_bytes(), timeout=60)
    assert put.status_code == 200, put.text
    entry = {"id": places["resource_id"], "name": name, "s3_available": True, "description": f"File {name}"}
    if supplements:
        entry |= {"sp:general:sample type": "cell line", "sp:cells:organism": "Homo sapiens"}
    ckan.ask("package_revise", token, match__id=dataset["id"], update__resources__extend=[entry])
    found: str = places["resource_id"]
    return found
