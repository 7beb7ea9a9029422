"""Container file and Ansible role: what they call and copy exists, with these options.

The role is played by tests/installer/test_booted_machine.py; the image is not built by a test, as its base comes from a registry.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from appliance import settings
from appliance.cli.root import cli

TOP = Path(__file__).parents[2]
CONTAINER = TOP / "installer" / "container" / "Containerfile"
ROLE = TOP / "installer" / "ansible" / "roles" / "dcor"


def options_of(*words: str) -> set[str]:
    """The options of a command of ours."""
    command: click.Command = cli
    for word in words:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None, words
        command = found
    return {name for parameter in command.params for name in parameter.opts}


def test_the_container_copies_what_is_there_and_installs_from_the_pinned_list() -> None:
    text = CONTAINER.read_text()
    for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        for name in line.split():
            assert (TOP / name).exists(), name
    assert "install_into /opt/dcor python3 installer/requirements.txt ." in text
    assert re.search(r"^USER dcor$", text, re.MULTILINE), "it does not run as root"
    assert json.loads(re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)[-1]) == ["serve"]
    assert options_of("serve")
    assert {"--hostname", "--admin", "--email"} <= options_of("init")


def tasks() -> list[dict[str, Any]]:
    return list(yaml.safe_load((ROLE / "tasks" / "main.yml").read_text()))


def test_every_task_of_the_role_has_a_name_and_one_module() -> None:
    known = {"name", "when", "loop", "register", "changed_when", "check_mode"}
    assert len(tasks()) > 8
    for task in tasks():
        (module,) = set(task) - known
        assert module.startswith("ansible.builtin."), task
        assert task["name"]


def test_what_the_role_calls_exists() -> None:
    text = (ROLE / "tasks" / "main.yml").read_text()
    script = (TOP / "installer" / "lib" / "production.sh").read_text()
    for option in re.findall(r"'(--[a-z-]+)'", text):
        assert option in script, option
    assert {"--bundle", "--yes"} <= options_of("update")
    assert "--json" in options_of("inspect")
    assert options_of("config", "set")


@pytest.mark.parametrize("name", ["mail.server"])
def test_the_example_of_a_setting_is_one(name: str) -> None:
    assert name in (ROLE / "defaults" / "main.yml").read_text()
    assert name in settings.options()


def test_every_variable_has_a_default() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    used = set(re.findall(r"\bdcor_[a-z_]+\b", (ROLE / "tasks" / "main.yml").read_text()))
    registered = {task["register"] for task in tasks() if "register" in task}
    assert used - registered <= set(defaults)
