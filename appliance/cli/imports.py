"""`dcor import` and `dcor import-figshare`: many files at once."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import click

from appliance.actions import communities as community_actions
from appliance.actions import datasets, ingest, lookup
from appliance.cli.common import CliState, FilePath, dry_run_option, emit, json_option, note, pass_state
from appliance.cli.folders import Plan, plan_folder
from appliance.cli.inputs import COUNT
from appliance.model.problem import Problem
from appliance.store import communities, inspection, resources


@click.command("import")
@click.argument("folder", type=FilePath(exists=True, file_okay=False))
@click.option("--user", required=True, help="Owner of the datasets.")
@click.option("--circle", help="Circle for datasets whose task file names none.")
@click.option("--authors", help="Authors for datasets whose task file names none.")
@click.option(
    "--licence",
    "licence",
    default="CC0-1.0",
    show_default=True,
    help="Licence for datasets whose task file names none.",
)
@click.option("--public", is_flag=True, help="Make datasets public if their task file does not say.")
@click.option("--activate", is_flag=True, help="Activate the datasets; otherwise they stay drafts.")
@dry_run_option
@json_option
@pass_state
def import_folder(
    state: CliState,
    folder: Path,
    user: str,
    circle: str | None,
    authors: str | None,
    licence: str,
    public: bool,
    activate: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Import a folder tree of .rtdc files, one dataset per folder.

    The title is the folder's name. A .dcoraid-task file in a folder is honoured (title, authors, circle, licence,
    supplementary metadata). Repeating the command skips datasets of the same title in the same circle, and names those
    that an interrupted run left incomplete. A folder that fails does not stop the others. A summary at the end lists
    what was imported, what was left out (links, files of other types, leftovers of file managers) and why. Exit code 1
    if a folder failed.
    """
    defaults = {"owner_org": circle, "authors": authors or user, "license_id": licence, "private": not public}
    results: list[dict[str, Any]] = []
    for plan in plan_folder(folder, defaults):
        if plan.files and not dry_run:
            note(f"{plan.folder}: {len(plan.files)} files …")
        results.append(_import(state, plan, user, activate=activate, dry_run=dry_run))
    emit(results, as_json, lambda _: _report_text(results) or f"No .rtdc files in {folder}.")
    return 1 if any(row["state"] == "failed" for row in results) else 0


def _report_text(results: list[dict[str, Any]]) -> str:
    """The report: a line for each folder, then what has another name now, then what was left out."""
    lines = [
        f"{row['state']:<8} {row['title']} ({len(row['files'])} files){': ' + row['error'] if row.get('error') else ''}"
        for row in results
        if row["state"] != "left out"
    ]
    renamed = [f"  {one['file']} → {one['name']}" for row in results for one in row["renamed"]]
    left_out = [f"  {one['file']}: {one['reason']}" for row in results for one in row["left_out"]]
    if renamed:
        lines += ["", "Under another name:", *renamed]
    if left_out:
        lines += ["", "Left out:", *left_out]
    return "\n".join(lines).strip()


def _import(state: CliState, plan: Plan, user: str, *, activate: bool, dry_run: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "folder": str(plan.folder),
        "title": plan.dataset["title"],
        "files": [file.name for file in plan.files],
        "renamed": [{"file": str(file.path), "name": file.name} for file in plan.files if file.path.name != file.name],
        "left_out": [{"file": str(one.path), "reason": one.reason} for one in plan.left_out],
    }
    if plan.error:
        return result | {"state": "failed", "error": plan.error}
    if not plan.files:
        return result | {"state": "left out"}
    dataset_id = ""
    try:
        with state.db.read() as conn:
            viewer = ingest.acting_as(conn, user)
            twin = _existing_dataset(conn, plan)
            if twin is not None:
                return result | _skipped(conn, twin, plan)
        if dry_run:
            return result | {"state": "planned"}
        dataset_id = datasets.create(state.site, viewer, plan.dataset | {"state": "draft"})
        ingest.add_files(state.site, viewer, dataset_id, plan.files)
        if activate:
            datasets.update(state.site, viewer, dataset_id, {"state": "active"})
    except (Problem, OSError) as error:
        return result | {"state": "failed", "error": str(error)} | ({"id": dataset_id} if dataset_id else {})
    return result | {"state": "active" if activate else "draft", "id": dataset_id}


def _existing_dataset(conn: sqlite3.Connection, plan: Plan) -> dict[str, Any] | None:
    """The dataset of the same title in the same circle, if there is one. Raises Problem 404 for an unknown circle."""
    if not plan.dataset.get("owner_org"):
        return None
    circle = lookup.community(conn, plan.dataset["owner_org"], "circle")
    found = inspection.datasets(conn, circle_id=circle["id"])
    return next((row for row in found if row["title"] == plan.dataset["title"] and row["state"] != "deleted"), None)


def _skipped(conn: sqlite3.Connection, twin: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """What is said of a folder whose dataset is there: a draft that lacks files was interrupted, and is no reason to be content."""
    lacking = {file.name for file in plan.files} - resources.names_of(conn, twin["id"])
    if twin["state"] == "draft" and lacking:
        error = f"the draft {twin['name']} lacks {len(lacking)} of its files; `dcor dataset purge {twin['name']}`, then repeat"
        return {"state": "failed", "id": twin["id"], "error": error}
    return {"state": "skipped", "id": twin["id"]}


@click.command("import-figshare")
@click.option("--limit", type=click.IntRange(0, COUNT), default=0, help="Only this many datasets; 0 = all.")
@click.option(
    "--from",
    "source",
    type=FilePath(exists=True, file_okay=False),
    help="A folder with the downloaded articles instead of the internet.",
)
@json_option
@pass_state
def import_figshare(state: CliState, limit: int, source: Path | None, as_json: bool) -> None:
    """Mirror the reference datasets of DCOR's figshare collection.

    They become public datasets of the circle `figshare-import`. Repeating the command completes or skips them.

    For a machine without internet, `--from DIR` expects DIR/figshare-ID-vVERSION/ with the article's `metadata.json`
    (figshare's API answer for that version) and its files. Checksums are compared in both cases.
    """
    from appliance.cli import figshare

    with state.db.read() as conn:
        viewer = ingest.acting_as(conn, None)
        known = communities.find(conn, figshare.CIRCLE, "circle") is not None
    made = []
    for article in figshare.ARTICLES[: limit or None]:
        note(f"{article.name} …")
        with figshare.fetched(article, source, state.settings.tmp) as (metadata, files):
            if not known:  # only now that there is something to put into it
                values = {"name": figshare.CIRCLE, "title": "Figshare mirror"}
                community_actions.create(state.site, viewer, "circle", values)
                known = True
            made.append(figshare.mirror(state.site, viewer, article, metadata, files))
    emit(made, as_json, lambda _: "\n".join(f"{row['state']:<8} {row['name']} ({row['files']} files)" for row in made))
