"""`dcor completion`: the script that makes a shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from appliance.model.problem import invalid


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    For bash: `dcor completion bash > ~/.local/share/bash-completion/completions/dcor`
    """
    from appliance.cli.root import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise invalid(message=f"There is no completion for {shell}.")
    click.echo(kind(cli, {}, "dcor", "_DCOR_COMPLETE").source())
