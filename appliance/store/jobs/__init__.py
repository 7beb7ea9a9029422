"""The job table: the truth about background work. All functions take a connection; those that write, a transaction."""

from __future__ import annotations

from appliance.store.jobs.attempts import (
    INTERRUPTIONS,
    cancel,
    claim,
    fail,
    finish,
    heartbeat,
    holds,
    interrupt,
    postpone,
    ready,
    release,
    retry,
    sweep,
)
from appliance.store.jobs.queueing import (
    PIPELINE,
    PRIORITY,
    enqueue,
    enqueue_pipeline,
)
from appliance.store.jobs.reading import (
    as_dict,
    counts,
    for_dataset,
    for_resource,
    forget,
    get,
    last_created,
    last_done,
    list_,
    open_job,
)

__all__ = [
    "INTERRUPTIONS",
    "PIPELINE",
    "PRIORITY",
    "as_dict",
    "cancel",
    "claim",
    "counts",
    "enqueue",
    "enqueue_pipeline",
    "fail",
    "finish",
    "for_dataset",
    "for_resource",
    "forget",
    "get",
    "heartbeat",
    "holds",
    "interrupt",
    "last_created",
    "last_done",
    "list_",
    "open_job",
    "postpone",
    "ready",
    "release",
    "retry",
    "sweep",
]
