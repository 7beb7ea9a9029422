"""`dcor docs`: the reference pages, written from the code, so that they cannot fall behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from appliance import settings as settings_module
from appliance.cli.common import FilePath
from appliance.model.setting_values import toml
from appliance.settings import Settings

_MADE = "<!-- Made by `dcor docs {page}`; change the code instead. -->\n\n"


@click.group("docs")
def group() -> None:
    """Write the reference pages (commands, settings, API) from the code."""


@group.command("commands")
@click.option("--out", type=FilePath(dir_okay=False), help="File to write; otherwise stdout.")
def commands(out: Path | None) -> None:
    """Every command with its options."""
    _put(out, commands_page())


@group.command("settings")
@click.option("--out", type=FilePath(dir_okay=False), help="File to write; otherwise stdout.")
def settings(out: Path | None) -> None:
    """Every setting with its default, its variable and its meaning."""
    _put(out, settings_page())


@group.command("api")
@click.option("--out", type=FilePath(dir_okay=False), help="File to write; otherwise stdout.")
def api(out: Path | None) -> None:
    """Every action of the API with its parameters."""
    _put(out, api_page())


@group.command("checks")
@click.option("--out", type=FilePath(dir_okay=False), help="File to write; otherwise stdout.")
def checks(out: Path | None) -> None:
    """Every check of `dcor inspect`."""
    _put(out, checks_page())


@group.command("all")
@click.argument("folder", type=FilePath(file_okay=False, exists=True))
def everything(folder: Path) -> None:
    """Write all reference pages into FOLDER."""
    for name, page in PAGES.items():
        (folder / f"{name}.md").write_text(page(), encoding="utf-8")


def commands_page() -> str:
    """The page about the command line, from the commands themselves."""
    from appliance.cli.root import cli

    lines = [
        _MADE.format(page="commands") + "# Commands\n",
        "`dcor --data DIR COMMAND …`; the data root may also come from `DCOR_DATA`, default `/data`. `--data` is accepted in "
        "any position. Read commands print text for people, or JSON with `--json`.\n",
        "Exit codes: 0 done or healthy, 1 refused or a problem was found, 2 wrong usage.\n",
    ]
    context = click.Context(cli, info_name="dcor")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None:
            lines += _command_lines(f"dcor {name}", command, context)
    return "\n".join(lines)


def _command_lines(path: str, command: click.Command, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=path.rpartition(" ")[2], parent=parent)
    if isinstance(command, click.Group):
        lines = [f"## {path}\n", (command.help or "").strip() + "\n"]
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                lines += _command_lines(f"{path} {name}", child, context)
        return lines
    usage = " ".join([path, *(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")])
    level = "##" if path.count(" ") == 1 else "###"
    lines = [f"{level} {path}\n", f"    {usage}\n", _plain(command.help) + "\n"]
    options = [
        record
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context)) and "--help" not in record[0]
    ]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [
            f"| `{name.replace('|', '/')}` | {' '.join(text.split()).replace('|', '/')} |" for name, text in options
        ]
        lines.append("")
    return lines


def settings_page() -> str:
    """The page about `dcor.toml`, from the declarations."""
    lines = [
        _MADE.format(page="settings") + "# Settings\n",
        "A setting takes the first of these values: a flag of the command, an environment variable, what an administrator changed on the "
        "page *Settings* (`page-settings.toml` in the data root), `dcor.toml` in the data root, the default. "
        "`dcor config show --origin` says which one holds. Unknown names are errors. Settings with “at once” can be changed on the "
        "page without a restart; `dcor config set` removes what the page says about its setting.\n",
    ]
    defaults = Settings()
    for group_name in settings_module.GROUPS:
        table = getattr(defaults, group_name)
        lines += [f"## [{group_name}]\n", f"{(type(table).__doc__ or '').strip()}\n"]
        lines += ["| setting | default | variable | meaning | on the page |", "|---|---|---|---|---|"]
        for field in dataclasses.fields(table):
            unit = f" [{field.metadata['unit']}]" if field.metadata["unit"] else ""
            variable = f"DCOR_{group_name}_{field.name}".upper()
            lines.append(
                f"| `{group_name}.{field.name}` | `{toml(field.default)}` | `{variable}` | {field.metadata['doc']}{unit} | {'at once' if field.metadata['live'] else ''} |"
            )
        lines.append("")
    return "\n".join(lines)


def checks_page() -> str:
    """The page about `dcor inspect`, from the checks themselves."""
    from appliance.health import report

    lines = [
        _MADE.format(page="checks") + "# Checks of `dcor inspect`\n",
        "Every finding says what was found, what it leads to, and what to do. `--assume-yes` only makes "
        "repairs that cannot lose data: it creates folders, tightens permissions and moves files to "
        "`quarantine/`; it never deletes.\n",
        "| check | looks at |",
        "|---|---|",
    ]
    lines += [f"| {named.name} | {named.looks_at} |" for named in report.checks()]
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """The page about the action API, from its registry."""
    import appliance.web.api  # noqa: F401 - registers the actions
    from appliance.web.api.registry import ACTIONS

    lines = [
        _MADE.format(page="api") + "# API\n",
        "`https://HOST/api/3/action/NAME`, as on the public DCOR (CKAN's action API). Parameters come as a query string (where GET is "
        "allowed), as JSON or as a form. The token goes in the header `Authorization` (or `X-CKAN-API-Key`), without any prefix. "
        'Answers have the form `{"help": …, "success": true, "result": …}`; refusals `{"success": false, "error": {"__type": …, '
        '"message": …}}` with status 400, 403, 404 or 409.\n',
        "The rule is what `security.policy` asks before the action runs; each action checks again for the object it works on.\n",
    ]
    for name in sorted(ACTIONS):
        lines += _action_lines(ACTIONS[name])
    return "\n".join(lines)


def _action_lines(action: Any) -> list[str]:
    lines = [
        f"## {action.name}\n",
        action.doc + "\n",
        f"{'GET or POST' if action.get else 'POST'}; rule `{action.rule}`.\n",
    ]
    if action.parameters:
        lines += ["| parameter | kind | meaning |", "|---|---|---|"]
        for one in action.parameters:
            remarks = (
                ["required"] if one.required else [f"default `{one.default}`"] if one.default not in (None, "") else []
            )
            remarks += [f"also `{alias}`" for alias in one.aliases]
            note = f" ({'; '.join(remarks)})" if remarks else ""
            lines.append(f"| `{one.name}` | {one.kind} | {one.doc.replace('|', '/')}{note} |")
        lines.append("")
    if action.extra:
        lines.append(f"Further: {action.extra}.\n")
    return lines


def _plain(text: str | None) -> str:
    """Click's help text without its own marks."""
    return "\n".join(line.strip() for line in (text or "").replace("\b", "").strip().splitlines())


def _put(out: Path | None, text: str) -> None:
    if out is None:
        click.echo(text)
    else:
        out.write_text(text, encoding="utf-8")


PAGES: dict[str, Callable[[], str]] = {
    "commands": commands_page,
    "settings": settings_page,
    "api": api_page,
    "checks": checks_page,
}
