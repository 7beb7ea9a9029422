"""Every text that somebody can write is shown as text: on every page, in every file and header that is made of it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import pytest
import requests

from appliance.store import announcements
from tests.support.furnished import House
from tests.support.samples import synthetic
from tests.support.server import wait_for

MARK = "zzq"
#: Ends every context that HTML, scripts, templates, shells and spreadsheets have.
HOSTILE = (
    f"{MARK}\"'><img src=x onerror={MARK}()></textarea></title></script><script>{MARK}()</script>"
    f"<svg/onload={MARK}()>{{{{7*7}}}}${{7*7}}`{MARK}`$({MARK})\u202e%0d%0a\\"
)
MARKDOWN = (
    HOSTILE
    + f"\n\n[a](javascript:{MARK}()) [b](data:text/html,<b>) [c](JaVaScRiPt&#58;{MARK}()) <javascript:{MARK}()>\n\n"
    f"![p](https://evil.example/{MARK}.png)\n\n<a href='javascript:{MARK}()'>x</a>\n\n|a|b|\n|-|-|\n|<b onclick={MARK}()>|[x](//evil.example)|"
)
_URLS = frozenset({"href", "src", "action", "formaction", "srcset", "data", "poster", "xlink:href"})
_PAGES = 150


class Page(HTMLParser):
    """What a browser would find in a page: links, and whatever would run or come from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.alive: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and not values.get("src", "/static/").startswith("/static/"):
            self.alive.append(str(values))
        if tag == "script" and "src" not in values and values.get("type") != "application/json":
            self.alive.append("an inline script")
        if tag in {"iframe", "object", "embed", "base"} or (tag == "meta" and "http-equiv" in values):
            self.alive.append(tag)
        for name, value in values.items():
            if name.startswith("on") or name == "style" or (name in _URLS and not self._harmless(tag, value)):
                self.alive.append(f"<{tag} {name}={value}>")
            if tag == "a" and name == "href":
                self.links.append(value)

    @staticmethod
    def _harmless(tag: str, value: str) -> bool:
        """Addresses of our own; links may lead elsewhere, but nothing is fetched from there."""
        if tag == "a" and value.startswith(("https://", "http://", "//", "mailto:")):
            return True
        return re.match(r"\s*[a-z][a-z0-9+.-]*:|\s*//", value, re.IGNORECASE) is None


def _hostile_measurement(folder: Path) -> Path:
    path = folder / "hostile.rtdc"
    path.write_bytes(synthetic().read_bytes())
    with h5py.File(path, "a") as h5:
        for key in (
            "experiment:sample",
            "setup:identifier",
            "setup:medium",
            "setup:module name",
            "setup:chip identifier",
        ):
            h5.attrs[key] = HOSTILE
        logs = h5.require_group("logs")
        logs.create_dataset("log-" + HOSTILE.replace("/", ":"), data=[HOSTILE.encode(), b"=cmd|' /C calc'!A0"])
        rows = h5.require_group("tables").create_dataset(
            "table-" + HOSTILE.replace("/", ":"), data=[(1.0,), (2.0,)], dtype=[("col" + HOSTILE, "f8")]
        )
        rows.attrs["COLOR_x"] = HOSTILE
    return path


@pytest.fixture(scope="module")
def hostile(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A circle, a collection, a dataset with files, a profile, a token, a session, a banner: all of hostile texts."""
    ada, root, site = house.people["ada"], house.people["root"], house.appliance
    assert ada.post("user_patch", fullname=HOSTILE, about=MARKDOWN, image_url=f"javascript:{MARK}()").status == 200
    assert ada.post("api_token_create", name=HOSTILE).status == 200
    values = {"title": HOSTILE, "description": MARKDOWN, "image_url": f'/x" onerror={MARK}()'}
    assert ada.post("organization_create", name="hostile", **values).status == 200
    assert ada.post("group_create", name="hostile-study", **values).status == 200
    made = ada.draft(
        "hostile", title=HOSTILE, notes=MARKDOWN, authors=HOSTILE, references=HOSTILE, doi=HOSTILE, private=False
    )
    file = ada.add(made["id"], _hostile_measurement(tmp_path_factory.mktemp("hostile")), "hostile.rtdc")
    described = {"description": HOSTILE, "sp:cells:organism": HOSTILE, "sp:general:comments": HOSTILE}
    for key, value in described.items():
        assert ada.post("resource_patch", id=file["id"], **{key: value}).status in {200, 409}
    text = root.upload("resource_create", {"package_id": made["id"]}, "upload", f"a'\"<b>$(x)`{MARK}` .txt", b"text")
    assert text.status == 200, text.body
    ada.post("member_create", id="hostile-study", object=made["id"], object_type="package", capacity="public")
    with site.context.db.write() as tx:
        announcements.announce(tx, HOSTILE)
    agent = {"User-Agent": HOSTILE.encode("ascii", "ignore").decode()}
    house.visitor("ada").http.get(site.url + "/dashboard", headers=agent, timeout=30)
    site.jobs_done(file["id"])
    return {"id": made["id"], "name": made["name"], "file": file["id"], "text": text.result["id"]}


def crawled(house: House, who: str, starts: list[str]) -> list[tuple[str, requests.Response]]:
    """Pages from `starts` on by the links in them, at most `_PAGES`."""
    visitor, waiting, seen = house.visitor(who), list(starts), set(starts)
    found = []
    while waiting and len(found) < _PAGES:
        path = waiting.pop(0)
        answer = visitor.get(path, stream=True)
        found.append((path, answer))
        if "text/html" not in answer.headers.get("Content-Type", ""):
            answer.close()
            continue
        for link in Page(answer.text).links:
            link = link.partition("#")[0]
            kind = re.sub(r"[0-9a-f-]{36}|\?.*", "", link)
            if link.startswith("/") and link not in seen and (kind not in seen or MARK in link):
                seen |= {link, kind}
                waiting.append(link)
    return found


@pytest.mark.parametrize("who", ["ada", "root", "eve"])
def test_no_page_does_what_a_text_says(house: House, hostile: dict[str, Any], who: str) -> None:
    dataset, file = f"/dataset/{hostile['id']}", f"/dataset/{hostile['id']}/resource/{hostile['file']}"
    starts = [
        dataset, file, f"{file}?view=all", "/organization/hostile", "/group/hostile-study", "/organization/hostile/members",
        "/organization/hostile/about", f"{dataset}/edit", f"{file}/edit", f"{dataset}/upload", f"{dataset}/activate",
        f"{dataset}/share", f"{dataset}/collections", f"{dataset}/delete", "/user/ada", "/user/ada/api-tokens",
        "/user/ada/sessions", "/dashboard", "/upload", "/dataset", "/organization", "/group", "/", "/connect",
        f"/dataset?q={MARK}", "/dataset?q=" + requests.utils.quote(HOSTILE), "/" + requests.utils.quote(HOSTILE, safe=""),
        "/dataset?tags=" + requests.utils.quote(HOSTILE), f"{dataset}?done=" + requests.utils.quote(HOSTILE),
        "/admin", "/admin/users", "/admin/users/ada", "/admin/jobs", "/admin/audit", "/admin/notices", "/admin/storage",
    ]  # fmt: skip
    pages = crawled(house, who, starts)
    assert len(pages) > 15
    assert {path: answer.status_code for path, answer in pages if answer.status_code >= 500} == {}
    html = [(path, answer) for path, answer in pages if "text/html" in answer.headers.get("Content-Type", "")]
    assert {path: alive for path, answer in html if (alive := Page(answer.text).alive)} == {}
    if who == "ada":
        assert any("{{7*7}}" in answer.text for _, answer in html), "the texts are there, as texts"
    for path, answer in pages:
        headers = answer.headers
        assert headers.get("X-Content-Type-Options") == "nosniff", path
        assert "default-src 'none'" in headers.get("Content-Security-Policy", "") or answer.status_code in {301, 308}, (
            path
        )
        assert "evil" not in headers.get("Location", "")


def test_answers_of_the_api_are_never_taken_for_pages(house: House, hostile: dict[str, Any]) -> None:
    ada = house.people["ada"]
    for action, values in {
        "package_show": {"id": hostile["id"]}, "resource_show": {"id": hostile["file"]}, "user_show": {},
        "package_search": {"q": HOSTILE}, "organization_show": {"id": HOSTILE}, "help_show": {"name": HOSTILE},
        "dcserv": {"id": hostile["file"], "query": "logs", "version": "2"},
    }.items():  # fmt: skip
        answer = ada.get(action, **values)
        assert answer.status < 500, (action, answer.body)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert "nosniff" in answer.headers.get("X-Content-Type-Options", ""), action
        assert "no-store" in answer.headers["Cache-Control"]
    assert ada.get(HOSTILE).headers["X-Content-Type-Options"] == "nosniff"


def test_names_in_headers_and_archives_stay_names(house: House, hostile: dict[str, Any]) -> None:
    root = house.people["root"]
    for path in (
        f"/dataset/{hostile['id']}/resource/{hostile['text']}/download",
        f"/dataset/{hostile['id']}/resource/{hostile['file']}/export.csv",
        f"/dataset/{hostile['id']}/download.zip",
    ):
        answer = root.fetch(path)
        assert answer.status_code == 200, path
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; "), disposition
        assert disposition.count('"') == 2, disposition


def test_a_download_script_runs_nothing_but_downloads(house: House, hostile: dict[str, Any], tmp_path: Path) -> None:
    """The shell script is run with a `curl` that only notes its arguments."""
    script = house.people["root"].fetch(f"/dataset/{hostile['id']}/download.sh").text
    tools = tmp_path / "bin"
    tools.mkdir()
    log = tmp_path / "called"
    for tool in ("curl", MARK, "x"):
        (tools / tool).write_text(f"#!/bin/sh\nprintf '%s\\n' {tool} >> {shlex.quote(str(log))}\n")
        (tools / tool).chmod(0o755)
    (tmp_path / "here").mkdir()
    subprocess.run(
        ["/bin/sh"], input=script, text=True, cwd=tmp_path / "here", env={"PATH": f"{tools}:/usr/bin:/bin"}, check=False,
        timeout=20, capture_output=True,
    )  # fmt: skip
    assert set(log.read_text().split()) == {"curl"}
    compile(house.people["root"].fetch(f"/dataset/{hostile['id']}/download.py").text, "download.py", "exec")


def test_a_file_name_leads_nowhere(house: House, hostile: dict[str, Any]) -> None:
    ada = house.people["ada"]
    for name in (
        "../../../tmp/x.txt",
        "..\\..\\x.txt",
        "/etc/x.txt",
        "a\r\nX-Evil: 1.txt",
        ".txt\0.rtdc",
        "..",
        "x/../../y.txt",
        "a;b.txt",
    ):
        answer = ada.upload("resource_create", {"package_id": hostile["id"]}, "upload", name, b"text")
        assert answer.status in {200, 400, 409}, (name, answer.body)
        if answer.status == 200:
            assert "/" not in answer.result["name"]
            assert ".." not in answer.result["name"]
            root = house.people["root"]
            assert root.post("resource_delete", id=answer.result["id"]).status == 200
    data = house.appliance.root
    strays = [path for path in data.rglob("*") if path.is_symlink() and data.resolve() not in path.resolve().parents]
    assert strays == []


def test_links_in_the_tree_for_people_stay_inside(house: House, hostile: dict[str, Any]) -> None:
    tree = house.appliance.root / "depot" / "users"

    def there() -> list[Path]:
        return [path for path in tree.glob("*/*/*") if hostile["name"] in str(path)]

    wait_for(lambda: len(there()) == 2)
    for link in there():
        assert link.is_symlink()
        assert (house.appliance.root / "depot" / "resources").resolve() in link.resolve().parents


def test_markdown_is_shown_in_no_time(house: House) -> None:
    """Whoever opens a list of datasets must not wait for what somebody has made up to be slow."""
    from appliance.web.pages.frame import markdown

    wide = "|a" * 255 + "\n" + "|-" * 255 + "\n" + "|a\n" * 255
    for source in (wide * 100, "![" * 99_999, "*a_ " * 49_999, "[a](" * 49_999, ">" * 199_999, "`" * 199_999):
        before = _processor()
        markdown.render(source)
        markdown.plain(source)
        assert _processor() - before < 4.0, source[:10]


def _processor() -> float:
    import time

    return time.thread_time()


def test_json_inside_pages_cannot_leave_its_place(house: House, hostile: dict[str, Any]) -> None:
    text = house.visitor("ada").page(f"/dataset/{hostile['id']}/upload")
    found = re.search(r'<script type="application/json" id="upload-data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    assert json.loads(found[1])["dataset"] == hostile["id"]
