"""`dcor tray`: the status icon."""

from __future__ import annotations

from typing import Any

import click

from appliance.cli.common import CliState, pass_state
from appliance.model.problem import invalid


@click.command("tray")
@pass_state
def command(state: CliState) -> None:
    """Show a status icon on the desktop.

    Its colour shows the state; its menu shows jobs, free space and the last backup, opens the web interface, creates a
    backup, and starts and stops the service.
    """
    try:
        from appliance.tray import Tray
    except ImportError as error:
        raise invalid(message="The status icon is not installed: pip install dcor-appliance[tray]") from error
    from appliance.health.base import Premises
    from appliance.health.overview import overview

    premises = Premises(state.data_root, state.settings)

    def numbers() -> dict[str, Any]:
        """What the icon shows."""
        return overview(premises)

    try:
        tray = Tray(numbers, state.settings.site_url)
    except ImportError as error:
        raise invalid(message="The status icon is not installed: pip install dcor-appliance[tray]") from error
    tray.run()
