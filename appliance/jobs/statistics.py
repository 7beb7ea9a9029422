"""Statistics job: counts that pages show without counting."""

from __future__ import annotations

from appliance.jobs.registry import CARE, Done, JobContext, job
from appliance.store import site_statistics as figures


@job("statistics", lane=CARE)
def run(context: JobContext) -> Done:
    """Count, and keep the result for pages and `dcor status`."""
    with context.db.read() as conn:
        found = figures.compute(conn) | {"free": context.depot.free()}
    return Done({"resources": found["total"]["resources"]}, lambda tx: figures.keep(tx, found))
