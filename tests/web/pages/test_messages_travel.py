"""What a confined child says reaches the page in the reader's language, with its values as they were."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import SandboxError
from appliance.model import messages
from appliance.model.messages import Message
from appliance.store import jobs
from appliance.web.pages.frame import i18n, job_texts
from appliance.web.pages.frame.message_translation import translate
from tests.support.furnished import House

SAID = "The log '%(name)s' is left out: %(why)s."
SHOWN = "Ausgelassen wurde das Protokoll „{name}“: {why}."
VALUES = ["100 %", "%(why)s", "%(name)s %s", "{0} {why!r}", "<b onload=x>&amp;</b>", "zwei\nZeilen", "x" * 10_000]


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose tasks say what they are told to."""
    tasks = Path(__file__).parents[2] / "jobs"
    sandbox = Sandbox(tmp_path_factory.mktemp("scratch"), tasks="hostile_tasks", tasks_folder=tasks)
    yield sandbox
    sandbox.close()


@pytest.fixture
def input_file(tmp_path: Path) -> Path:
    path = tmp_path / "input"
    path.write_bytes(b"measurement")
    return path


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's language is German."""
    monkeypatch.setattr(i18n, "language", lambda: "de")


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> str:
    """A template that the German catalogue has."""
    known = {SAID: "Ausgelassen wurde das Protokoll „%(name)s“: %(why)s."}
    said = i18n.said
    monkeypatch.setattr(i18n, "said", lambda language, text: known.get(text) or said(language, text))
    return SAID


@pytest.mark.root
@pytest.mark.parametrize("value", VALUES)
def test_answers_of_a_child(talking: Sandbox, input_file: Path, german: None, template: str, value: str) -> None:
    request = {"said": Message(template, name=value, why=3.5)}
    answer = talking.run("say", input_file, request, timeout=20).answer
    stored = messages.loads(messages.dumps(answer))
    for said in (answer["cues"][0]["message"], stored["cues"][0]["message"]):
        assert said == f"The log '{value}' is left out: 3.5."
        assert translate(said) == SHOWN.format(name=value, why="3,5")
    assert translate(stored["deep"][0]) == "See: " + SHOWN.format(name=value, why="3,5")


@pytest.mark.root
@pytest.mark.parametrize("value", VALUES)
def test_a_failure_goes_through_the_database_to_the_page(
    talking: Sandbox, input_file: Path, house: House, template: str, value: str
) -> None:
    with pytest.raises(SandboxError) as caught:
        talking.run("fail_with", input_file, {"said": Message(template, name=value, why="x")}, timeout=20)
    one_line = value.replace("\n", " ")
    said = caught.value.message
    assert len(said) <= 300
    shown_name = one_line if len(one_line) < 200 else one_line[: 300 - len("The log '' is left out: x.") - 1] + "…"
    assert said == f"The log '{shown_name}' is left out: x."
    with house.appliance.context.db.write() as tx:
        job_id = jobs.enqueue(
            tx, "condense", resource_id=house.file["id"], dataset_id=house.public["id"], arguments={"v": value}
        )
        row = jobs.claim(tx, job_id, "w", 60)
        assert row is not None
        jobs.fail(tx, row, said, permanent=True)
        found = next(job for job in jobs.list_(tx, resource_id=house.file["id"]) if job["id"] == job_id)
    try:
        assert json.loads(json.dumps(found))["error"] == said, "the API's text is the English one"
        assert not [key for key in found if key.endswith("_parts")]
        page = house.visitor("root", "de").page("/admin/jobs")
        assert SHOWN.format(name=html.escape(shown_name, quote=True), why="x").replace("&#x27;", "&#39;") in page
        assert "<b onload" not in page
    finally:
        with house.appliance.context.db.write() as tx:
            tx.execute("DELETE FROM job WHERE id = ?", (job_id,))


@pytest.mark.root
@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ({"template": "%(x)999999999d %s", "values": {"x": 1}}, "%(x)999999999d %s"),
        ({"template": "The file %(foreign)s", "values": {"name": "x"}}, "The file %(foreign)s"),
        ({"template": "{0.__class__} <script>", "values": {"a": "%(a)s"}}, "{0.__class__} <script>"),
        ({"template": "%(a)s" * 100, "values": {"a": "y" * 30}}, "y" * 399 + "…"),
        ("\x1b[31m%(name)s", "\N{REPLACEMENT CHARACTER}[31m%(name)s"),
    ],
)
def test_a_child_that_was_taken_over(
    talking: Sandbox, input_file: Path, german: None, message: object, shown: str
) -> None:
    packet = json.dumps({"kind": "damaged", "message": message, "permanent": True})
    with pytest.raises(SandboxError) as caught:
        talking.run("fail_raw", input_file, {"packet": packet}, timeout=20)
    assert translate(caught.value.message) == shown


@pytest.mark.root
def test_progress_is_a_message(talking: Sandbox, input_file: Path, german: None, template: str) -> None:
    stages: list[str] = []
    values = {"name": "z", "why": "w"}
    talking.run(
        "say",
        input_file,
        {"said": Message(template, **values)},
        timeout=20,
        progress=lambda _share, stage: stages.append(stage),
    )
    assert [translate(stage) for stage in stages] == [SHOWN.format(**values)]


def test_a_job_that_needed_another_one(german: None) -> None:
    reason = Message("The file is truncated: its end is missing.")
    said = Message(jobs.NEEDED_FAILED, kind="metadata", error=reason)
    assert said == "metadata failed: The file is truncated: its end is missing."
    assert re.fullmatch(r"Metadaten .*: Die Datei ist abgeschnitten: Ihr Ende fehlt\.", job_texts.error(said))


def test_old_rows_stay_readable(german: None) -> None:
    """Texts stored by earlier releases have no parts: constants are translated, others stay English."""
    old = messages.whole("The file is truncated: its end is missing.", "")
    assert translate(old) == "Die Datei ist abgeschnitten: Ihr Ende fehlt."
    assert translate("something that nobody knows: %(x)s 100 %") == "something that nobody knows: %(x)s 100 %"
