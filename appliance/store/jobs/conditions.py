"""Conditions on rows of the job table that several statements share."""

from __future__ import annotations

#: States of a job that is not over.
OPEN = "('queued', 'running')"
#: What a job makes better use of but does without: a preview takes features of the condensed file where there is one.
SOFT = "({above}.kind = 'preview' AND {below}.kind = 'condense')"
# A job fails with what it needs of its own resource; what it needs of another one only has to be over, in whichever way.
#: Does a job wait for another one?
BLOCKED = f"""EXISTS (SELECT 1 FROM job_dependency d JOIN job n ON n.id = d.needs_id WHERE d.job_id = job.id
  AND (n.state IN ('queued', 'running')
       OR n.state != 'done' AND n.resource_id IS job.resource_id AND NOT {SOFT.format(above="job", below="n")}))"""
