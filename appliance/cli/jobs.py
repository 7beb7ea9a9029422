"""`dcor jobs`: background jobs."""

from __future__ import annotations

from typing import Any

import click

from appliance.actions import lookup
from appliance.cli.common import CliState, details, dry_run_option, emit, json_option, note, pass_state, prints, table
from appliance.cli.inputs import COUNT
from appliance.model.problem import not_found
from appliance.model.viewer import OPERATOR
from appliance.store import artefacts, inspection, jobs, resources

STATES = ("queued", "running", "done", "failed", "cancelled")
_COLUMNS = {
    "created": "created",
    "id": "id",
    "kind": "kind",
    "state": "state",
    "progress": "done",
    "resource_id": "resource",
    "error": "error",
}


def _row(job: dict[str, Any]) -> dict[str, Any]:
    error = job["error"].splitlines()[0][:80] if job["error"] else ""
    state = "waiting for space" if job["state"] == "queued" and job["stage"] == jobs.NO_ROOM else job["state"]
    return job | {
        "state": state,
        "created": job["created"][:19],
        "progress": f"{job['progress'] * 100:.0f} %",
        "error": error,
    }


def _shown(job: dict[str, Any]) -> str:
    about = details({key: value for key, value in job.items() if key != "log"})
    return f"{about}\n\n{job['log']}" if job["log"] else about


def _shown_missing(data: dict[str, list[Any]]) -> str:
    moved = f", {len(data['addresses'])} with another address" if data["addresses"] else ""
    return f"{len(data['missing'])} missing{moved}, {len(data['queued'])} jobs queued."


@click.group("jobs")
def group() -> None:
    """Background jobs: list, retry, run."""


@group.command("list")
@click.option("--state", "wanted", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--kind", help="Only this kind: checksum, metadata, condense, preview, …")
@click.option("--resource", "resource_id", metavar="ID", help="Only jobs of this resource.")
@click.option("--dataset", "dataset_id", metavar="ID", help="Only jobs of this dataset.")
@click.option(
    "--limit", type=click.IntRange(1, COUNT), default=100, show_default=True, help="At most this many, newest first."
)
@prints(lambda rows: table([_row(job) for job in rows], _COLUMNS, empty="There are no jobs."))
def list_(
    state: CliState, wanted: str | None, kind: str | None, resource_id: str | None, dataset_id: str | None, limit: int
) -> list[dict[str, Any]]:
    """List jobs, newest first."""
    with state.db.read() as conn:
        return jobs.list_(conn, state=wanted, kind=kind, resource_id=resource_id, dataset_id=dataset_id, limit=limit)


@group.command("show")
@click.argument("job_id")
@prints(_shown)
def show(state: CliState, job_id: str) -> dict[str, Any]:
    """Show one job with its log."""
    with state.db.read() as conn:
        row = jobs.get(conn, job_id)
        if row is None:
            raise not_found(f"There is no job {job_id}.")
        return jobs.as_dict(conn, row)


@group.command("retry")
@click.argument("job_ids", nargs=-1)
@click.option("--failed", is_flag=True, help="All failed jobs.")
@prints(lambda data: f"{len(data['queued'])} jobs queued.")
def retry(state: CliState, job_ids: tuple[str, ...], failed: bool) -> dict[str, list[str]]:
    """Queue failed or cancelled jobs again, together with the jobs they depend on."""
    if not job_ids and not failed:
        raise click.UsageError("Name jobs, or use --failed.")
    queued: list[str] = []
    with state.db.write() as tx:
        chosen = list(job_ids) + ([job["id"] for job in jobs.list_(tx, state="failed", limit=-1)] if failed else [])
        for job_id in chosen:
            if jobs.get(tx, job_id) is None:
                raise not_found(f"There is no job {job_id}.")
            queued += jobs.retry(tx, job_id)
    return {"queued": queued}


@group.command("cancel")
@click.argument("job_ids", nargs=-1, required=True)
@json_option
@pass_state
def cancel(state: CliState, job_ids: tuple[str, ...], as_json: bool) -> int:
    """Cancel unfinished jobs; jobs that depend on them fail."""
    with state.db.write() as tx:
        gone = [job_id for job_id in job_ids if jobs.cancel(tx, job_id)]
    emit({"cancelled": gone}, as_json, lambda _: f"{len(gone)} jobs cancelled.")
    return 0 if len(gone) == len(job_ids) else 1


@group.command("run")
@json_option
@pass_state
def run(state: CliState, as_json: bool) -> int:
    """Run all waiting jobs in this process until none is left. Only while the service is not running.

    Exit code 1 when a job failed.
    """
    from appliance.cli.work import run_until_idle

    counts = run_until_idle(state.db, state.depot, state.settings, note)
    emit(counts, as_json, lambda _: ", ".join(f"{number} {name}" for name, number in counts.items()))
    return 1 if counts["failed"] else 0


@group.command("run-missing")
@click.option("--force", is_flag=True, help="Recreate everything, including what already exists.")
@click.option("--addresses", is_flag=True, help="Also condensed files that contain another address of the server.")
@click.option("--dataset", "dataset_ref", metavar="DATASET", help="Only the files of this dataset.")
@dry_run_option
@prints(_shown_missing)
def run_missing(
    state: CliState, force: bool, addresses: bool, dataset_ref: str | None, dry_run: bool
) -> dict[str, list[Any]]:
    """Queue the jobs for missing checksums, metadata, condensed files and previews.

    With --addresses, also those that write the server's current address into condensed files,
    where readers look up the location of the originals. The service does the same once a day.
    """
    from appliance.jobs import missing

    with state.db.read() as conn:
        only = None
        if dataset_ref:
            dataset_id = lookup.dataset(conn, OPERATOR, dataset_ref)[0]["id"]
            only = [row["id"] for row in resources.of_dataset(conn, dataset_id)]
        lacking = [(one, kind) for one, kind in inspection.without_derived(conn) if only is None or one in only]
        moved = artefacts.of_other_addresses(conn, state.settings.site_url) if addresses else []
        moved = [(one, address) for one, address in moved if only is None or one in only]
    queued = (
        [] if dry_run else missing.run_missing(state.db, state.settings, force=force, addresses=addresses, only=only)
    )
    return {
        "missing": [{"resource": one, "kind": kind} for one, kind in lacking],
        "addresses": [{"resource": one, "address": address} for one, address in moved],
        "queued": queued,
    }
