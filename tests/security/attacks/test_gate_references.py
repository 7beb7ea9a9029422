"""Twenty gates that name each other ten times each: whoever takes gates looks at each condition a few times, not at 10¹⁹ of them.

Counted are the looks at conditions, in everything that takes gates: actions and addresses out of their registries, and what they ask
the readers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from appliance.jobs.rtdc.reader import ReaderCache, read
from appliance.jobs.rtdc.selecting import select
from appliance.model import gates as rules
from appliance.web import route_table
from appliance.web.api.registry import ACTIONS
from appliance.web.app import create_app
from tests.support.expressions import ROOT
from tests.support.furnished import PASSWORD, Visitor
from tests.support.samples import synthetic
from tests.support.server import Appliance, Person

ACTIONS_WITH_GATES = sorted(
    name for name, declared in ACTIONS.items() if any(one.name == "gates" for one in declared.parameters)
)
#: Looks at one condition, by all that a request is answered with together.
MOST_LOOKS = 40


def gates(name: str = "g") -> list[dict[str, Any]]:
    """20 gates, each but the first with ten conditions that name the one before."""
    first = {"name": f"{name}0", "conditions": [{"feature": "deform", "min": 0}]}
    return [first] + [
        {"name": f"{name}{number}", "conditions": [{"gate": f"{name}{number - 1}"}] * 10} for number in range(1, 20)
    ]


class Looks:
    """A counter that ends what looks too often.

    :ivar most: looks that are allowed; :ivar checked: lists of gates that were checked.
    """

    def __init__(self, most: int) -> None:
        self.count, self.most, self.checked = 0, most, 0

    def look(self) -> None:
        self.count += 1
        if self.count > self.most:
            raise RuntimeError("a condition was looked at too often")

    def watched(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The same gates with conditions that count."""
        self.checked += 1
        return [one | {"conditions": [Condition(self, each) for each in one["conditions"]]} for one in found]


class Condition(dict[str, Any]):
    """A condition that tells when it is looked at."""

    def __init__(self, looks: Looks, one: dict[str, Any]) -> None:
        super().__init__(one)
        self.looks = looks

    def __getitem__(self, key: str) -> Any:
        self.looks.look()
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.looks.look()
        return super().__contains__(key)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Counts the looks at all gates that are checked from now on."""
    found, checked = Looks(MOST_LOOKS * 200), rules.checked
    monkeypatch.setattr(rules, "checked", lambda value: found.watched(checked(value)))
    return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """A circle of Ada."""
    appliance = Appliance(tmp_path_factory.mktemp("references") / "data")
    appliance.person("ada", password=PASSWORD).circle("lab")
    yield appliance
    appliance.stop()


@pytest.fixture(scope="module")
def ada(lab: Appliance) -> Person:
    return lab.person("ada2", sysadmin=True)


@pytest.fixture(scope="module")
def file(lab: Appliance, ada: Person) -> dict[str, Any]:
    """A resource of a draft."""
    found = ada.add(ada.draft("lab")["id"], synthetic(), "M1.rtdc")
    lab.jobs_done(found["id"])
    return found


@pytest.fixture
def questions(lab: Appliance, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the readers are asked."""
    found: list[dict[str, Any]] = []
    kind = type(lab.context.readers)
    answer = kind.read  # type: ignore[union-attr]

    def noted(self: Any, resource_id: str, asked: dict[str, Any], **options: Any) -> Any:
        found.append(dict(asked))
        return answer(self, resource_id, asked, **options)

    monkeypatch.setattr(kind, "read", noted)
    return found


def test_there_are_actions_with_gates() -> None:
    assert {"dcor_gate_file", "dcor_statistics", "dcor_median_differences", "dcor_gate_events"} <= {*ACTIONS_WITH_GATES}


@pytest.mark.parametrize("name", ACTIONS_WITH_GATES)
def test_every_action_looks_at_each_condition_a_few_times(
    ada: Person, file: dict[str, Any], looks: Looks, questions: list[dict[str, Any]], name: str
) -> None:
    about = file["package_id"] if name == "dcor_gate_save" else file["id"]
    given = {"id": about, "ids": [file["id"]], "gates": gates(), "gate": "g19", "name": "many", "features": ["deform"]}
    known = {one.name for one in ACTIONS[name].parameters}
    answer = ada.post(name, **{key: value for key, value in given.items() if key in known})
    assert answer.status == 200, answer.body
    assert looks.checked
    assert looks.count <= looks.most
    assert len(answer.text) < 1 << 20
    require_few_looks(questions)


def require_few_looks(questions: list[dict[str, Any]]) -> None:
    """The readers look at each condition a few times as well, and take its answer from none but this test."""
    for asked in (one for one in questions if one.get("gates")):
        counted = Looks(MOST_LOOKS * 200)
        cache = ReaderCache()
        read(asked | {"gates": counted.watched(asked["gates"])}, synthetic(), cache)
        cache.close()
        assert counted.count


def test_every_address_looks_at_each_condition_a_few_times(
    lab: Appliance, file: dict[str, Any], looks: Looks, questions: list[dict[str, Any]]
) -> None:
    rules_ = [str(one.rule) for one in create_app(lab.context).url_map.iter_rules() if "GET" in (one.methods or ())]
    plain = {one for one in rules_ if "<" not in one and not one.startswith(("/user/log", "/user/_log"))}
    getters = [one.pattern for one in route_table.routes() if "GET" in one.methods]
    plain |= {path for one in getters if one.fullmatch(path := one.pattern.replace("\\", "")) and path != "/.*"}
    visitor = Visitor(lab, "ada")
    query = f"r={file['id']}&f=deform&g={quote(json.dumps(gates(), separators=(',', ':')), safe='[]{}:,')}"
    took = set()
    for path in sorted(plain):
        before, looks.count = looks.checked, 0
        answer = visitor.get(f"{path}?{query}")
        assert looks.count < looks.most, path
        if looks.checked > before:
            took.add(path)
            assert answer.status_code == 200, (path, answer.status_code)
            assert len(answer.content) < 1 << 20, path
    assert {"/compare", "/compare.csv", "/compare.so2", "/compare/export.csv"} <= took
    assert {"statistics", "rows"} <= {one["what"] for one in questions}
    require_few_looks(questions)


@pytest.mark.parametrize("form", ["rtdc", "csv"])
def test_the_job_that_writes_events_looks_at_each_condition_a_few_times(tmp_path: Path, form: str) -> None:
    counted = Looks(MOST_LOOKS * 200)
    asked = {"gates": counted.watched(rules.checked(gates())), "gate": "g19", "format": form}
    select(asked, synthetic(), tmp_path, lambda _share, _text: None)
    assert counted.count


def test_every_module_that_looks_into_conditions_is_tried_here() -> None:
    """What reads `conditions` of gates is reached by the tests above; another module belongs into them."""
    found = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if '["conditions"]' in path.read_text("utf-8")}
    assert {one for one in found if "gat" in one or "session" in one or "polygon" in one} == {
        "model/gates.py", "model/polygon_file.py", "model/dcscope_session.py", "jobs/rtdc/gating.py",
    }  # fmt: skip


_IN_THE_BROWSER = """
import { readFileSync } from "node:fs";
const { path, gates } = JSON.parse(readFileSync(0, "utf-8"));
const { Gates } = await import(path);
const answers = [];
for (const list of gates) {
  const known = new Gates(() => {});
  known.list = list;
  let reads = 0;
  const column = async () => {
    if (++reads > 400) throw new Error("read too often");
    return new Float32Array([-1, 0, 1]);
  };
  const found = await known.inside(list.at(-1).name, column);
  answers.push({ found: found && [...found], reads });
}
console.log(JSON.stringify(answers));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_explorer_looks_at_each_gate_once(tmp_path: Path) -> None:
    deform = {"feature": "deform", "min": 0}
    inverted = [{"name": "a", "conditions": [deform]}, {"name": "b", "conditions": [{"gate": "a", "inverted": True}]}]
    diamond = [*inverted, {"name": "c", "combine": "or", "conditions": [{"gate": "a"}, {"gate": "b"}]}]
    circle = [
        {"name": "a", "conditions": [{"gate": "b"}]},
        {"name": "b", "conditions": [deform, {"gate": "a"}]},
        {"name": "c", "combine": "or", "conditions": [deform, {"gate": "b"}]},
    ]
    module = shutil.copy(ROOT / "web/static/js/explorer/gates.js", tmp_path / "gates.mjs")
    asked = {"path": str(module), "gates": [gates(), inverted, diamond, circle]}
    done = subprocess.run(
        ["node", "--input-type=module", "-e", _IN_THE_BROWSER],
        input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [one["found"] for one in answers] == [[0, 1, 1], [1, 0, 0], [1, 1, 1], None]
    assert [one["reads"] for one in answers[:3]] == [1, 1, 1]
