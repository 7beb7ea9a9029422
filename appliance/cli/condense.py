"""`dcor condense`: the condense job's code on a file."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from appliance import durable
from appliance.cli.common import CliState, FilePath, details, emit, json_option, pass_state
from appliance.model.problem import invalid


@click.command("condense")
@click.argument("source", type=FilePath(exists=True, dir_okay=False))
@click.argument("target", type=FilePath(dir_okay=False))
@click.option("--cores", type=click.IntRange(1, 1024), default=None, help="Processes used at once.  [default: all]")
@json_option
@pass_state
def command(state: CliState, source: Path, target: Path, cores: int | None, as_json: bool) -> None:
    """Write the condensed file of a measurement, as the job does.

    All scalar features, without images, masks and traces. Runs in the sandbox of the jobs; needs no data root.
    """
    from appliance import settings as settings_module
    from appliance.jobs.condense import OUTPUTS, RESULT
    from appliance.jobs.sandbox import Sandbox
    from appliance.jobs.sandbox_child import SandboxError
    from appliance.jobs.scratch import open_plain, remove_tree

    settings = settings_module.load(state.data_root)
    cores = cores or len(os.sched_getaffinity(0))
    base = settings.tmp if settings.tmp.is_dir() and os.access(settings.tmp, os.W_OK) else target.absolute().parent
    folder = Path(tempfile.mkdtemp(prefix=".condense-", dir=base))
    try:
        with closing(Sandbox(folder / "work", allow_weak=settings.jobs.allow_weak_sandbox)) as sandbox:
            scratch = sandbox.new_scratch()
            try:
                outcome = sandbox.run(
                    "condense",
                    source.absolute(),
                    {"name": source.name, "basins": [], "cores": cores},
                    scratch=scratch,
                    timeout=settings.jobs.timeout,
                    memory=settings.jobs.memory,
                    outputs=OUTPUTS,
                    fork=cores > 1,
                )
            except SandboxError as error:
                raise invalid(message=f"{source}: {error.message}") from error
            open_plain(scratch / RESULT).close()
            durable.move(scratch / RESULT, target)
    finally:
        remove_tree(folder)
    found: dict[str, Any] = outcome.answer
    data = {
        "path": str(target),
        "size": target.stat().st_size,
        "features": len(found.get("features", [])),
        "computed": found.get("computed"),
        "seconds": found.get("seconds"),
        "peak": outcome.peak,
        "cpu": outcome.cpu,
    }
    emit(data, as_json, lambda _: details(data))
