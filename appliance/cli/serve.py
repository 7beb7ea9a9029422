"""`dcor serve`: the service in the foreground."""

from __future__ import annotations

import click

from appliance.cli.common import CliState, load_settings, pass_state


@click.command("serve")
@click.option("--bind", help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="HTTPS port.")
@click.option("--http-port", type=click.IntRange(0, 65535), help="Port that redirects pages to HTTPS; 0 = none.")
@pass_state
def command(state: CliState, bind: str | None, port: int | None, http_port: int | None) -> None:
    """Run the service in the foreground until SIGTERM or Ctrl-C.

    It refuses to start, and says why, if the data root is not writable, the certificate does not
    match, or a port is in use.
    """
    from appliance.service import serve

    flags = {"server.bind": bind, "server.port": port, "server.http_port": http_port}
    serve(load_settings(state.data_root, flags))
