"""SQL conditions on the job table that several statements share."""

from __future__ import annotations

#: States of unfinished jobs.
OPEN = "('queued', 'running')"
#: Optional needs: a preview uses the condensed file if there is one.
SOFT = "({above}.kind = 'preview' AND {below}.kind = 'condense')"
# A job fails with a failed need of its own resource; a need of another resource only has to have ended.
#: Whether a job waits for another one.
BLOCKED = f"""EXISTS (SELECT 1 FROM job_dependency d JOIN job n ON n.id = d.needs_id WHERE d.job_id = job.id
  AND (n.state IN ('queued', 'running')
       OR n.state != 'done' AND n.resource_id IS job.resource_id AND NOT {SOFT.format(above="job", below="n")}))"""
