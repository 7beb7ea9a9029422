"""Statements of the DCOR manual that no other test proves by itself; docs/acceptance.md links them."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from dcoraid.api import CKANAPI
from dcoraid.dbmodel import APIInterrogator

from appliance.actions import communities as community_actions
from appliance.cli import figshare
from appliance.model.viewer import OPERATOR
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person, needs_settings_of_its_own

BATCH = 200


@pytest.fixture(scope="module")
def ada(shared: Appliance) -> Person:
    """Somebody with a circle of her own and one active dataset in it."""
    ada = shared.person("ada", password="a good long phrase")
    ada.circle("lab")
    return ada


@pytest.fixture(scope="module")
def resource(shared: Appliance, ada: Person) -> dict[str, Any]:
    """A measurement of an active, private dataset whose jobs are done."""
    draft = ada.draft("lab", title="Blood of the week", private=True)
    made = ada.add(draft["id"], synthetic(), "blood.rtdc")
    shared.jobs_done(made["id"])
    ada.activate(draft["id"])
    return ada.get("resource_show", id=made["id"]).result


def test_the_mirrored_reference_data_are_found_as_the_manual_says(shared: Appliance, tmp_path: Path) -> None:
    article = figshare.ARTICLES[0]
    folder = tmp_path / article.name
    folder.mkdir()
    shutil.copy(synthetic(), folder / "calibration_beads_47.rtdc")
    md5 = hashlib.md5((folder / "calibration_beads_47.rtdc").read_bytes()).hexdigest()
    metadata = {
        "title": "Reference data for deformability cytometry",
        "authors": [{"full_name": "P. Müller"}],
        "license": {"name": "CC0"},
        "files": [{"name": "calibration_beads_47.rtdc", "supplied_md5": md5}],
    }
    (folder / "metadata.json").write_text(json.dumps(metadata))
    community_actions.create(shared.context, OPERATOR, "circle", {"name": figshare.CIRCLE, "title": "Figshare mirror"})
    with figshare.fetched(article, tmp_path, tmp_path) as (found, files):
        figshare.mirror(shared.context, OPERATOR, article, found, files)
    reader = shared.person("reader")
    api = CKANAPI(server=shared.url, api_key=reader.token, ssl_verify=str(shared.certificate))
    hits = APIInterrogator(api).search_dataset_via_api(query="reference data", circles=["figshare-import"])
    assert [hit["name"] for hit in hits] == ["figshare-7771184-v2"]


def test_a_batch_of_two_hundred_datasets_and_all_of_them_are_listed(shared: Appliance, ada: Person) -> None:
    ada.circle("archive")
    titles = [f"Messung Nr. {number} – κύτταρα" for number in range(BATCH)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        people = [shared.admin.get("user_show", id="ada").result["id"]]
        made = list(pool.map(lambda title: ada.draft("archive", title=title), titles))
    assert {dataset["creator_user_id"] for dataset in made} == set(people)
    assert len({dataset["name"] for dataset in made}) == BATCH
    assert all(re.fullmatch(r"[a-z0-9_-]{2,100}", dataset["name"]) for dataset in made)
    seen: set[str] = set()
    for start in range(0, BATCH, 50):
        page = ada.get("package_search", fq="organization:archive", include_drafts="true", rows=50, start=start).result
        assert page["count"] == BATCH
        seen |= {dataset["title"] for dataset in page["results"]}
    assert seen == set(titles)
    everything = ada.get("package_search", fq="organization:archive", include_drafts="true", rows=1000).result
    assert len(everything["results"]) == BATCH


def test_the_fields_of_the_manuals_example_are_there_with_their_types(ada: Person, resource: dict[str, Any]) -> None:
    for key in ("cache_last_updated", "cache_url", "created"):
        assert key in resource
    assert isinstance(resource["dc:experiment:event count"], int)
    assert isinstance(resource["dc:setup:flow rate"], float)
    assert isinstance(resource["dc:experiment:date"], str)
    assert isinstance(resource["dc:fluorescence:laser count"], int)
    dataset = ada.get("package_show", id=resource["package_id"]).result
    for key in ("metadata_created", "metadata_modified"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", dataset[key])


def test_the_resource_page_shows_id_checksum_and_all_keys(
    ada: Person, shared: Appliance, resource: dict[str, Any]
) -> None:
    browser = requests.Session()
    browser.verify, browser.trust_env = str(shared.certificate), False
    answer = browser.post(
        shared.url + "/user/login",
        data={"login": "ada", "password": "a good long phrase"},
        headers={"Origin": shared.url, "Sec-Fetch-Site": "same-origin"},
        timeout=60,
    )
    assert answer.ok
    page = browser.get(f"{shared.url}/dataset/{resource['package_id']}/resource/{resource['id']}", timeout=60)
    assert page.status_code == 200
    for word in (resource["id"], resource["sha256"], "flow rate"):
        assert word in page.text
    assert "no-store" in page.headers["Cache-Control"] or "private" in page.headers["Cache-Control"]


def test_nothing_private_may_be_kept_by_shared_caches(ada: Person, shared: Appliance, resource: dict[str, Any]) -> None:
    path = f"/dataset/{resource['package_id']}/resource/{resource['id']}/download/{resource['name']}"
    for answer in (ada.fetch("/api/3/action/package_show?id=" + resource["package_id"]), ada.fetch(path)):
        assert answer.status_code == 200
        assert re.search("private|no-store", answer.headers["Cache-Control"])
        assert "public" not in answer.headers["Cache-Control"]


def test_robots_are_sent_away_and_unknown_paths_are_cheap(shared: Appliance) -> None:
    robots = shared.nobody.fetch("/robots.txt")
    assert robots.text.split() == ["User-agent:", "*", "Disallow:", "/"]
    for path in ("/wp-login.php", "/.env", "/cgi-bin/x", "/dataset/../../etc/passwd"):
        started = time.monotonic()
        assert shared.nobody.fetch(path, allow_redirects=False).status_code in (302, 303, 400, 403, 404)
        assert time.monotonic() - started < 5


def test_eight_downloads_at_once_and_the_api_answers(ada: Person, shared: Appliance, resource: dict[str, Any]) -> None:
    path = f"/dataset/{resource['package_id']}/resource/{resource['id']}/download/{resource['name']}"
    content = synthetic().read_bytes()

    def download(_number: int) -> bool:
        with requests.get(
            shared.url + path,
            headers={"Authorization": ada.token},
            verify=str(shared.certificate),
            stream=True,
            timeout=60,
        ) as answer:
            return b"".join(answer.iter_content(50_000)) == content

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(download, number) for number in range(32)]
        while not all(one.done() for one in running):
            assert ada.get("package_show", id=resource["package_id"]).status == 200
        assert all(one.result() for one in running)


def test_revoking_a_membership_closes_files_and_dcserv_at_once(shared: Appliance, resource: dict[str, Any]) -> None:
    guest = shared.member("circle", "lab", "guest", "member")
    path = f"/dataset/{resource['package_id']}/resource/{resource['id']}/download/{resource['name']}"
    assert guest.fetch(path).status_code == 200
    assert guest.get("dcserv", id=resource["id"], query="valid").status == 200
    community_actions.remove_member(shared.context, OPERATOR, "circle", "lab", "guest")
    assert guest.fetch(path).status_code == 404
    assert guest.get("dcserv", id=resource["id"], query="valid").status == 404
    assert guest.get("package_show", id=resource["package_id"]).status == 404


def test_an_open_site_answers_without_an_account_and_a_clinics_does_not(shared: Appliance, tmp_path: Path) -> None:
    needs_settings_of_its_own()
    open_site = Appliance(tmp_path / "open", **{"policy.anonymous_access": True})
    try:
        bob = open_site.person("bob")
        bob.circle("lab")
        draft = bob.draft("lab", title="Open data")
        made = bob.add(draft["id"], synthetic())
        open_site.jobs_done(made["id"])
        bob.activate(draft["id"])
        nobody = open_site.nobody
        assert nobody.get("supported_resource_suffixes").result[0] == ".rtdc"
        assert "cells" in json.dumps(nobody.get("resource_schema_supplements").result)
        assert [hit["title"] for hit in nobody.get("package_search", q="open").result["results"]] == ["Open data"]
        assert nobody.get("package_show", id=draft["id"]).status == 200
        assert nobody.get("dcserv", id=made["id"], query="valid").result is True
        assert nobody.fetch(f"/dataset/{draft['id']}/resource/{made['id']}/download/{made['name']}").status_code == 200
    finally:
        open_site.stop()
    assert shared.nobody.get("status_show").result["ckan_version"].startswith("2.11")
    assert shared.nobody.get("package_search").status == 403
