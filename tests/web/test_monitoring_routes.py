"""Health check and metrics, as a monitoring system reads them."""

from __future__ import annotations

from tests.support.server import Appliance


def test_the_health_check_answers_anybody(shared: Appliance) -> None:
    answer = shared.nobody.fetch("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_metrics_count_requests_and_tell_the_state(shared: Appliance) -> None:
    shared.nobody.get("status_show")
    lines = dict(
        line.rsplit(" ", 1) for line in shared.nobody.fetch("/metrics").text.splitlines() if not line.startswith("#")
    )
    assert float(lines['dcor_http_requests_total{route="call",status="200"}']) >= 1
    assert float(lines["dcor_users"]) >= 1
    assert float(lines["dcor_disk_free_bytes"]) > 0
    assert float(lines["dcor_connections"]) >= 1


def test_metrics_name_no_person_file_or_dataset(shared: Appliance) -> None:
    secretive = shared.person("very-secret-name")
    secretive.circle("hidden-circle")
    secretive.draft("hidden-circle", title="Unspeakable")
    text = shared.admin.fetch("/metrics").text
    assert not any(word in text for word in ("very-secret-name", "hidden-circle", "Unspeakable", secretive.token))
