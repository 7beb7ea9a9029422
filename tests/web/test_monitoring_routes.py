"""Health check and metrics, as a monitoring system reads them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from appliance.actions import check_results
from appliance.health import report
from appliance.jobs import checks
from appliance.jobs.registry import JobContext
from tests.support.server import Appliance

RULES = Path(__file__).parents[2] / "installer" / "monitoring" / "dcor-alerts.yml"


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


def test_every_figure_that_the_alert_rules_ask_for_is_there(shared: Appliance) -> None:
    rules = RULES.read_text(encoding="utf-8")
    asked = set(re.findall(r"\bdcor_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", rules))))
    assert len(asked) >= 8
    absent = set(re.findall(r"absent\((dcor_[a-z_]+)\)", rules))
    check_results.keep(shared.settings, [{"check": "files", "level": "problem"}, {"check": "files", "level": "ok"}])
    text = shared.nobody.fetch("/metrics").text
    told = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    assert asked - told <= absent, "what is not known yet has to be asked for with absent()"
    assert "dcor_backup_age_seconds" not in told, "there is no backup yet"
    assert 'dcor_check_findings{check="files",level="problem"} 1.0' in text
    assert float(re.findall(r"^dcor_certificate_days (.*)$", text, re.MULTILINE)[0]) > 3000


def test_every_alert_names_a_remedy() -> None:
    rules = RULES.read_text(encoding="utf-8")
    assert rules.count("- alert:") == rules.count("remedy:") == rules.count("summary:") >= 8


def test_the_hourly_checks_leave_their_result(shared: Appliance) -> None:
    context = SimpleNamespace(settings=shared.settings)  # of all a job may use, it uses this
    done = checks.run(cast(JobContext, context))
    kept = check_results.kept(shared.settings)
    assert kept is not None
    assert set(kept[1]) == {named.name for named in report.checks()}
    assert done.result["problem"] == sum(counts.get("problem", 0) for counts in kept[1].values())
