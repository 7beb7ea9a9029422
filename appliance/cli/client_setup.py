"""`dcor client-setup`: what users run so that dclab, DCscope and DCOR-Aid trust this server."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.cli.common import CliState, FilePath, as_caller, note, pass_state
from appliance.model.problem import invalid
from appliance.security import client_setup
from appliance.settings import Settings
from appliance.tls import certificate
from appliance.tls import chain as certificate_chain


@click.command("client-setup")
@click.option("--out", type=FilePath(), required=True, help="Folder to write, or a .zip.")
@pass_state
def command(state: CliState, out: Path) -> None:
    """Write scripts that make clients trust this server.

    For Windows (PowerShell), macOS and Linux (sh), with the certificate and a test of the connection.
    """
    made = files(state.settings)
    with as_caller():
        if out.suffix == ".zip":
            out.write_bytes(client_setup.as_zip(made, f"dcor-{state.settings.server.hostname}"))
        elif out.exists() and not out.is_dir():
            raise invalid(message=f"{out} is not a folder.")
        else:
            out.mkdir(parents=True, exist_ok=True)
            for name, data in made.items():
                (out / name).write_bytes(data)
            (out / "setup.sh").chmod(0o755)
    note(f"Hand out {out}; its README.txt tells users what to do.")


def files(settings: Settings) -> dict[str, bytes]:
    """The files for this server's clients."""
    chain = certificate.load_chain(settings.certificate)
    return client_setup.setup_files(
        settings.server.hostname,
        settings.site_url,
        certificate.chain_pem(chain),
        certificate_chain.known_authorities(),
        certificate.describe(chain).fingerprint,
    )
