"""The reference datasets that DCOR mirrors from figshare, from the internet or from a folder of downloaded articles."""

from __future__ import annotations

import html
import json
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.actions import datasets, ingest
from appliance.actions.site import Site
from appliance.model.problem import invalid
from appliance.model.viewer import Viewer
from appliance.store import datasets as stored
from appliance.store import resources

CIRCLE = "figshare-import"
_API = "https://api.figshare.com/v2/articles/{id}/versions/{version}"
_TAG = re.compile(r"<([^<>]*)>")
_NAME = re.compile(r"[a-z]*", re.IGNORECASE)
#: What stands for tags that mark text, whether they begin or end it.
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*"}
_TIMEOUT = 60.0  # seconds without a byte


@dataclass(frozen=True)
class Article:
    """One version of one figshare article."""

    number: int
    version: int

    @property
    def doi(self) -> str:
        """Its DOI."""
        return f"10.6084/m9.figshare.{self.number}.v{self.version}"

    @property
    def name(self) -> str:
        """The dataset's name."""
        return f"figshare-{self.number}-v{self.version}"


ARTICLES = (Article(7771184, 2), Article(11302595, 1), Article(11662773, 2), Article(12721436, 1))


@contextmanager
def fetched(article: Article, source: Path | None, tmp: Path) -> Iterator[tuple[dict[str, Any], dict[str, Path]]]:
    """The article's metadata (figshare's own answer) and its files by name, from `source` or downloaded into `tmp`.

    Raises Problem when something is missing or cannot be had.
    """
    if source is not None:
        folder = source / article.name
        if not (folder / "metadata.json").is_file():
            raise invalid(message=f"{folder / 'metadata.json'} is missing.")
        try:
            metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        except ValueError as error:
            raise invalid(message=f"{folder / 'metadata.json'} is no answer of figshare's: {error}.") from error
        yield metadata, {entry["name"]: folder / entry["name"] for entry in metadata["files"]}
        return
    folder = Path(tempfile.mkdtemp(dir=tmp))
    try:
        with _open(_API.format(id=article.number, version=article.version)) as answer:
            metadata = json.load(answer)
        for entry in metadata["files"]:
            with _open(entry["download_url"]) as answer, (folder / Path(entry["name"]).name).open("wb") as target:
                shutil.copyfileobj(answer, target, 1 << 20)
        yield metadata, {entry["name"]: folder / Path(entry["name"]).name for entry in metadata["files"]}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def mirror(
    site: Site, viewer: Viewer, article: Article, metadata: dict[str, Any], files: dict[str, Path]
) -> dict[str, Any]:
    """Make the article's dataset, or complete one that was interrupted; what is there is skipped. Raises Problem."""
    with site.db.read() as conn:
        row = stored.find(conn, article.name)
        present = {one["name"] for one in resources.of_dataset(conn, row["id"])} if row is not None else set()
    if row is not None and row["state"] == "active":
        return {"name": article.name, "state": "skipped", "files": len(present)}
    dataset_id = row["id"] if row is not None else datasets.create(site, viewer, _fields(article, metadata))
    wanted = []
    for entry in metadata["files"]:
        path, md5 = files[entry["name"]], entry["supplied_md5"]
        if not path.is_file():
            raise invalid(message=f"{path} is missing.")
        if entry["name"] not in present:
            wanted.append(ingest.File(path, entry["name"], resource_id=ingest.id_from(dataset_id, md5), md5=md5))
    ingest.add_files(site, viewer, dataset_id, wanted)
    datasets.update(site, viewer, dataset_id, {"state": "active"})
    return {"name": article.name, "state": "active", "files": len(present) + len(wanted)}


def _fields(article: Article, metadata: dict[str, Any]) -> dict[str, Any]:
    if metadata.get("license", {}).get("name") != "CC0":
        raise invalid(
            message=f"{article.name} has the licence {metadata.get('license', {}).get('name')}; only CC0 is mirrored."
        )
    references = [one if "://" in one else f"doi:{one}" for one in metadata.get("references", [])]
    return {
        "id": ingest.id_from(article.doi, article.name),
        "name": article.name,
        "title": metadata["title"],
        "authors": ", ".join(author["full_name"] for author in metadata["authors"]),
        "doi": article.doi,
        "references": ", ".join(references),
        "license_id": "CC0-1.0",
        "notes": markdown(metadata.get("description", "")),
        "tags": [{"name": tag} for tag in metadata.get("tags", []) if re.fullmatch(r"[\w \-.]{2,100}", tag)],
        "owner_org": CIRCLE,
        "private": False,
        "state": "draft",
    }


def markdown(text: str) -> str:
    """The few elements of HTML that figshare's descriptions use, as Markdown."""
    address = ""

    def element(found: re.Match[str]) -> str:
        """What stands for a tag in Markdown."""
        nonlocal address
        inner = found[1].strip()
        closes, rest = inner.startswith("/"), inner.removeprefix("/").lstrip()
        named = _NAME.match(rest)
        name = named[0].lower() if named else ""
        if name == "a" and closes:
            address, before = "", address
            return f"]({before})" if before else ""
        if name == "a":
            address = rest.partition('href="')[2].partition('"')[0]
            return "[" if address else ""
        if name == "br" or (closes and name in {"p", "div", "ul", "ol"}):
            return "\n"
        if name == "li" and not closes:
            return "\n- "
        return _MARKS.get(name, "")

    text = html.unescape(_TAG.sub(element, text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _open(url: str) -> Any:
    if not url.startswith("https://"):
        raise invalid(message=f"Refusing to download from {url}.")
    try:
        return urllib.request.urlopen(url, timeout=_TIMEOUT)  # noqa: S310 - checked above
    except OSError as error:
        raise invalid(message=f"{url} cannot be had ({error}). Without internet, use --from DIR.") from error
