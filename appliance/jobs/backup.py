"""The nightly backup and the monthly trial restore, for machines whose system has no timers for them."""

from __future__ import annotations

from appliance.actions import backups
from appliance.actions.site import Site
from appliance.jobs.registry import Done, JobContext, JobFailed, job
from appliance.model.problem import Problem


@job("backup", background=True)
def run(context: JobContext) -> Done:
    """Back everything up unless a timer did so today, and once a month restore a part for trial."""
    if not context.arguments.get("now") and backups.is_fresh(context.settings):
        return Done({"skipped": "there is one of today"})
    site = Site(context.settings, context.db, context.depot)

    def progress(done: int, total: int, what: str) -> None:
        context.progress(done / max(total, 1), what.partition("/")[0])

    try:
        made = backups.create(site, progress=progress)
        result = {"name": made.manifest.name, "new_files": made.new_files, "problems": made.problems[:20]}
        if backups.trial_is_due(context.settings):
            result["trial"] = backups.trial(site, progress=progress).ok
    except (Problem, OSError) as error:
        raise JobFailed(str(error), permanent=False) from error
    return Done(result)
