"""`dcor reset`: empty chosen parts of the installation, after a backup. Without flags it does nothing."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import click

from appliance.actions import accounts, lookup
from appliance.cli.common import CliState, confirm, dry_run_option, emit, json_option, note, pass_state, yes_option
from appliance.jobs.prune import purge
from appliance.model import times
from appliance.model.viewer import OPERATOR
from appliance.store import inspection, users


@click.command("reset")
@click.option("--datasets", is_flag=True, help="Purge every dataset; files go to quarantine/.")
@click.option(
    "--zombie-users", is_flag=True, help="Remove ordinary users without datasets and without recent activity."
)
@click.option(
    "--weeks",
    type=click.IntRange(0, 5_000),
    default=12,
    show_default=True,
    help="With --zombie-users: inactive for this long.",
)
@click.option("--keep-user", "kept", multiple=True, metavar="NAME", help="Never remove this user; repeatable.")
@click.option("--search-index", is_flag=True, help="Rebuild the search index.")
@click.option("--cache", is_flag=True, help="Remove previews and other generated files; jobs recreate them.")
@dry_run_option
@yes_option
@json_option
@pass_state
def command(
    state: CliState,
    datasets: bool,
    zombie_users: bool,
    weeks: int,
    kept: tuple[str, ...],
    search_index: bool,
    cache: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Empty chosen parts of the installation, after a copy of the database and a confirmation."""
    if not (datasets or zombie_users or search_index or cache):
        raise click.UsageError("Specify what to reset: --datasets, --zombie-users, --search-index, --cache.")
    with state.db.read() as conn:
        doomed = inspection.datasets(conn) if datasets else []
        spared = {lookup.user(conn, name)["name"] for name in kept}  # a misspelt one must not cost an account
        idle = users.zombies(conn, times.ahead(-timedelta(weeks=weeks))) if zombie_users else []
        idle = [name for name in idle if name not in spared]
    plan: dict[str, Any] = {
        "datasets": len(doomed),
        "users": idle,
        "search_index": search_index,
        "cache": cache,
        "copy": None,
    }
    if not dry_run:
        confirm(f"Reset ({_words(plan)}) {state.settings.site_url}?", yes)
        if doomed or idle:
            from appliance.actions import rollback_copies

            plan["copy"] = str(rollback_copies.take(state.settings, "reset"))
        _carry_out(state, doomed, idle, search_index, cache)
    emit(plan, as_json, lambda _: ("Would reset: " if dry_run else "Reset: ") + _words(plan))
    if datasets and not dry_run:
        note(f"The files are in {state.data_root / 'quarantine'}; delete them yourself when you are sure.")


def _carry_out(state: CliState, doomed: list[dict[str, Any]], idle: list[str], search_index: bool, cache: bool) -> None:
    purge(state.site, doomed)
    for name in idle:
        accounts.set_state(state.site, OPERATOR, name, "deleted")
    if search_index:
        from appliance.store.search import index

        with state.db.write() as tx:
            index.rebuild(tx)
    if cache:
        from appliance.jobs.missing import run_missing

        note(f"{len(run_missing(state.db, state.settings, force=True))} jobs queued.")
        shutil.rmtree(state.settings.tmp / "cache", ignore_errors=True)


def _words(plan: dict[str, Any]) -> str:
    parts = [
        f"{plan['datasets']} datasets" if plan["datasets"] else "",
        f"{len(plan['users'])} users" if plan["users"] else "",
    ]
    parts += ["search index" if plan["search_index"] else "", "derived files" if plan["cache"] else ""]
    return ", ".join(part for part in parts if part) or "nothing"
