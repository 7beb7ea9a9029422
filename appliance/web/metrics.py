"""Metrics of answered requests."""

from __future__ import annotations

from functools import lru_cache

from prometheus_client import Counter, Histogram
from prometheus_client.core import CollectorRegistry

REGISTRY = CollectorRegistry()
REQUESTS = Counter("dcor_http_requests", "Requests answered", ["route", "status"], registry=REGISTRY)
SECONDS = Histogram(
    "dcor_http_request_seconds",
    "Time from a request's head to the end of its answer",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5, 30, 300),
    registry=REGISTRY,
)


def answered(route: str, status: int, seconds: float) -> None:
    """Count one answered request: its route's name, status and time [s]."""
    requests, times = _of_route(route, status)
    requests.inc()
    times.observe(seconds)


@lru_cache(maxsize=4096)
def _of_route(route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(route, str(status)), SECONDS.labels(route)
