"""The root of the command line: global options, the table of commands, and how errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from appliance import __version__
from appliance.cli.common import EXIT_REFUSED, EXIT_USAGE, CliState, FilePath, become_owner
from appliance.cli.inputs import require_text
from appliance.model.problem import Problem

#: Command → (module in `appliance.cli`, attribute, one line of help). The help stands here too so that `dcor --help`
#: imports none of the modules; a test compares it with what the command itself says.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("init", "command", "Create the data root: folders, settings, keys, certificate, database, first admin."),
    "serve": ("serve", "command", "Run the service in the foreground until SIGTERM or Ctrl-C."),
    "status": ("status", "command", "Show what is running, how full the disk is, and what needs attention."),
    "inspect": ("inspect", "command", "Check the whole installation and say how to fix what is wrong."),
    "user": ("user", "group", "Accounts: add, list, disable, promote, remove."),
    "token": ("token", "group", "API tokens of a user."),
    "access": ("access", "group", "Encrypted .dcor-access files for DCOR-Aid."),
    "circle": ("community", "circle", "Circles (who may see private datasets)."),
    "collection": ("community", "collection", "Collections of datasets."),
    "dataset": ("dataset", "group", "Datasets: list, show, move, activate, purge."),
    "resource": ("resource", "group", "Resources (the files of a dataset)."),
    "import": ("imports", "import_folder", "Import a folder tree of .rtdc files, one dataset per folder."),
    "import-figshare": ("imports", "import_figshare", "Mirror the reference datasets of DCOR's figshare collection."),
    "pull": ("pull", "command", "Mirror another DCOR: its accounts, circles, collections and datasets."),
    "push": ("push", "command", "Publish datasets on another DCOR or appliance."),
    "demo": ("demo", "group", "Demonstration data for trying things out."),
    "condense": ("condense", "command", "Write the condensed file of a measurement, as the job does."),
    "trash": ("trash", "group", "Deleted items that can be restored: list, restore."),
    "jobs": ("jobs", "group", "Background jobs: list, retry, run."),
    "backup": ("backup", "group", "Encrypted backups: keys, create, verify, restore."),
    "encrypted-database-backup": (
        "backup",
        "encrypted_database_backup",
        "Back up the database, as the manual names it: to a GnuPG key, or without one like `dcor backup create`.",
    ),
    "reserve": ("reserve", "group", "A standby machine: increments for it, and taking over."),
    "certificate": ("certificate", "group", "The TLS certificate: show, create, request, install, export."),
    "client-setup": ("client_setup", "command", "Write scripts that make clients trust this server."),
    "config": ("config", "group", "The settings in force and where each comes from."),
    "alarm": ("alarm", "group", "Alarms: open reports of jobs and checks."),
    "audit": ("audit", "group", "The audit log: list, verify, export."),
    "log": ("log", "group", "Incidents behind the numbers shown on error pages."),
    "archive": (
        "archive",
        "group",
        "Object storage (S3) for old originals: secret, check, status, run, recall, prune.",
    ),
    "prune": ("prune", "group", "Remove old drafts, unused circles, stale uploads."),
    "scrub": ("scrub", "command", "Read every stored file and compare it with its checksum."),
    "reset": (
        "reset",
        "command",
        "Empty chosen parts of the installation, after a copy of the database and a confirmation.",
    ),
    "update": ("update", "command", "Install a newer release beside this one and switch when it is healthy."),
    "rollback": ("update", "rollback", "Go back to the release before the last update."),
    "send-mail": ("mail", "command", "Send a test mail with the configured mail server."),
    "ldap": (
        "ldap",
        "group",
        "Directory accounts (LDAP, Active Directory): check, password, sync, link, unlink.",
    ),
    "oidc": ("oidc", "group", "Sign-in through an OpenID provider: check, secret, sync, link, unlink."),
    "support-bundle": ("support", "command", "Collect what support needs, with secrets and names masked."),
    "docs": ("docs", "group", "Write the reference pages (commands, settings, API) from the code."),
    "completion": ("completion", "command", "Print the completion script of a shell."),
    "tray": ("tray", "command", "Show a status icon on the desktop."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and which takes `--data` in any position."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table: the daily ones first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _help = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"appliance.cli.{module}"), attribute)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in `dcor --help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_module, _attribute, text) in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`dcor user list --data DIR` means the same as `dcor --data DIR user list`."""
        require_text(args)
        return super().parse_args(ctx, hoist_data(args))


def hoist_data(args: Sequence[str]) -> list[str]:
    """Move every `--data DIR` that stands before a `--` to the front."""
    end = args.index("--") if "--" in args else len(args)
    front: list[str] = []
    rest: list[str] = []
    words = iter(args[:end])
    for word in words:
        if word == "--data":
            front += [word, *[value for value in [next(words, None)] if value is not None]]
        elif word.startswith("--data="):
            front.append(word)
        else:
            rest.append(word)
    return [*front, *rest, *args[end:]]


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 done or healthy, 1 refused or a problem was found, 2 wrong usage.",
)
@click.option(
    "--data",
    "data_root",
    type=FilePath(file_okay=False),
    envvar="DCOR_DATA",
    default=Path("/data"),
    show_default=True,
    help="The data root, which holds everything that changes. Accepted in any position.  [env: DCOR_DATA]",
)
@click.version_option(__version__, prog_name="dcor")
@click.pass_context
def cli(ctx: click.Context, data_root: Path) -> None:
    """Run and look after a DCOR appliance."""
    ctx.obj = CliState(data_root.absolute())
    if ctx.invoked_subcommand not in ("init", "serve", "update", "rollback", "completion", "tray", "docs"):
        become_owner(ctx.obj.data_root)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; errors are one line on stderr."""
    try:
        result = cli.main(args=list(args) if args is not None else None, prog_name="dcor", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE if isinstance(error, click.UsageError) else EXIT_REFUSED
    except click.Abort:
        click.echo("Stopped; nothing more was done.", err=True)
        return EXIT_REFUSED
    except Problem as error:
        click.echo(f"dcor: {error}", err=True)
        return EXIT_REFUSED
    except BrokenPipeError:
        # `dcor … | head` has read enough; keep the interpreter from complaining about it when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except sqlite3.DatabaseError as error:
        click.echo(f"dcor: The database cannot be read: {error}. `dcor inspect` says more.", err=True)
        return EXIT_REFUSED
    except OSError as error:
        click.echo(f"dcor: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", err=True)
        return EXIT_REFUSED
    except KeyboardInterrupt:
        return 130


def main() -> None:
    """Entry point of the `dcor` script."""
    sys.exit(run())
