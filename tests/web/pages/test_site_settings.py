"""Settings that need no restart are changed by an administrator on the page; the others show the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance import settings as settings_module
from appliance.cli import root as cli
from tests.support.furnished import House
from tests.support.server import Appliance


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Its own, because it is changed."""
    appliance = Appliance(tmp_path_factory.mktemp("house") / "data")
    yield House(appliance)
    appliance.stop()


def change(house: House, key: str, value: str = "", **more: str) -> int:
    """Send the form of a setting; the status."""
    return house.visitor("root").post("/admin/settings", key=key, value=value, **more).status_code


def origin(house: House, key: str) -> str:
    """Where the running service has a value from."""
    return house.appliance.context.settings.origins.get(key, "default")


def test_a_change_counts_at_once_survives_a_restart_and_is_in_the_audit_log(house: House) -> None:
    assert house.people["eve"].post("organization_create", name="eves", title="Eve's").status == 200
    assert change(house, "policy.users_create_circles", "false") == 303
    assert house.people["eve"].post("organization_create", name="eves-2", title="Eve's").status == 403
    assert "New circle" not in house.visitor("eve").page("/upload")
    again = settings_module.load(house.appliance.root, env={})
    assert (again.policy.users_create_circles, origin(house, "policy.users_create_circles")) == (False, "web page")
    assert "policy.users_create_circles" in house.visitor("root").page("/admin/audit")
    assert change(house, "server.title", "DCOR of the clinic") == 303
    assert "DCOR of the clinic" in house.visitor().page("/about")
    assert change(house, "policy.users_create_circles", do="file") == 303
    assert origin(house, "policy.users_create_circles") == "default"
    assert house.people["eve"].post("organization_create", name="eves-2", title="Eve's").status == 200


def test_wrong_values_and_keys_change_nothing(house: House) -> None:
    before = house.appliance.context.settings
    for key, value in (("depot.max_upload", "much"), ("web.session_hours", "0"), ("policy.licences", "medcial")):
        assert change(house, key, value) == 409
    for key in ("server.port", "server.hostname", "jobs.allow_weak_sandbox", "policy.supplements", "nonsense", ""):
        assert change(house, key, "1") == 404
    assert house.visitor("ada").post("/admin/settings", key="server.title", value="x").status_code == 403
    assert house.appliance.context.settings is before


def test_the_largest_value_of_every_number_keeps_the_pages_and_a_larger_one_is_refused(house: House) -> None:
    numbers = {
        key: option.metadata["most"]
        for key, option in settings_module.options().items()
        if option.metadata["live"] and type(option.default) is int
    }
    assert "web.session_hours" in numbers
    for key, most in numbers.items():
        assert change(house, key, str(most + 1)) == 409, key
        assert change(house, key, "9" * 400) == 409, key
        assert change(house, key, str(most)) == 303, key
    for name in ("", "ada", "root"):
        visitor = house.visitor(name)
        for page in (
            "/",
            "/dataset",
            "/upload" if name else "/about",
            "/admin/settings" if name == "root" else "/help",
        ):
            assert visitor.get(page).status_code == 200 or not name, page
    for key in numbers:
        assert change(house, key, do="file") == 303


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mail.admin", "a@b.example\nBcc: c@d.example"),
        ("mail.sender", "nobody"),
        ("web.docs_url", "javascript:alert(1)"),
        ("server.title", "x\x00y"),
        ("server.description", "x" * 4001),
    ],
)
def test_texts_that_would_do_harm_are_refused(house: House, key: str, value: str) -> None:
    before = house.appliance.context.settings
    assert change(house, key, value) == 409
    assert house.appliance.context.settings is before


def test_what_the_environment_or_a_flag_fixed_is_not_changed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DCOR_WEB_CONTACT", "the desk")
    house.appliance.context.use_settings(settings_module.load(house.appliance.root))
    assert change(house, "web.contact", "me") == 409
    assert "DCOR_WEB_CONTACT" in house.visitor("root").page("/admin/settings")
    monkeypatch.delenv("DCOR_WEB_CONTACT")
    house.appliance.context.use_settings(settings_module.load(house.appliance.root, env={}))


def test_every_setting_has_a_form_or_its_command(house: House) -> None:
    page = house.visitor("root").page("/admin/settings")
    forms = set(re.findall(r'name="key" value="([a-z0-9_.]+)"', page))
    commands = set(re.findall(r"<code>dcor config set ([a-z0-9_.]+) ", page))
    assert forms == {key for key, option in settings_module.options().items() if option.metadata["live"]}
    assert forms | commands == set(settings_module.options())
    assert re.findall(r"<h2>[a-z]+</h2>", page) == [], "every table of settings has a name for people"


def test_the_command_line_has_the_last_word_and_keeps_the_file_apart(house: House, tmp_path: Path) -> None:
    root = house.appliance.root
    assert change(house, "server.description", "from the page") == 303
    assert change(house, "mail.admin", "page@example.org") == 303
    result = CliRunner().invoke(cli.cli, ["--data", str(root), "config", "set", "server.description", "from the shell"])
    assert result.exit_code == 0, result.output
    loaded = settings_module.load(root, env={})
    assert (loaded.server.description, loaded.mail.admin) == ("from the shell", "page@example.org")
    assert "page@example.org" not in (root / "dcor.toml").read_text()
    assert change(house, "mail.admin", do="file") == 303


def test_new_administrators_see_what_is_left_to_set_up(house: House) -> None:
    page = house.visitor("root").page("/admin")
    assert "dcor backup keys" in page
    assert change(house, "mail.server", "mail.example.org") == 303
    assert change(house, "mail.admin", "root@example.org") == 303
    assert house.visitor("root").page("/admin").count("step-done") > page.count("step-done")
