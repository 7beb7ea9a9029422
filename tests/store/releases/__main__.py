"""Write the database of the version in the source; see the package."""

from __future__ import annotations

import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from appliance import __version__
from appliance.actions import accounts, login
from appliance.cli.root import run
from appliance.model.viewer import OPERATOR
from tests.store.releases import FOLDER, PASSWORD, dump
from tests.support.samples import synthetic
from tests.support.server import Appliance


def fill(appliance: Appliance) -> dict[str, str]:
    """A little of everything that a database can hold; returns what tests want to know of it."""
    ada, eve = appliance.person("ada", password=PASSWORD), appliance.person("eve")
    ada.circle("lab")
    ada.post("group_create", name="blood", title="Blood of all")
    ada.post("organization_member_create", id="lab", username="eve", role="member")
    public = ada.draft("lab", title="Größe of cells", private=False, tags=[{"name": "beads"}], notes="a *note*")
    measured = ada.add(public["id"], synthetic(), "cells.rtdc")
    supplements = {"sp:cells:organism": "human", "description": "first"}
    ada.post("resource_patch", id=measured["id"], **supplements)
    appliance.jobs_done(measured["id"])
    ada.activate(public["id"])
    ada.post("member_create", id="blood", object=public["id"], object_type="package", capacity="public")
    private = ada.draft("lab", title="Patients of the ward", private=True)
    appliance.jobs_done(ada.add(private["id"], synthetic(), "patient.rtdc")["id"])
    ada.activate(private["id"])
    ada.post("package_collaborator_create", id=private["id"], user_id="eve", capacity="member")
    eve.post("follow_dataset", id=public["id"])
    gates = [{"name": "cells", "conditions": [{"feature": "area_um", "min": 20}]}]
    ada.post("dcor_gate_save", id=public["id"], name="cells", gates=gates, shared=True)
    ada.draft("lab", title="Not ready")
    ada.post("package_delete", id=ada.draft("lab", title="Thrown away")["id"])
    made = ada.post("api_token_create", user="ada", name="made with another").result["token"]
    accounts.create_token(appliance.context, OPERATOR, "eve", "for a year", scope="read", expires=timedelta(days=36500))
    assert login.sign_in(appliance.context, "ada", PASSWORD, agent="a browser") is not None
    run(["--data", str(appliance.root), "certificate", "create", "--days", "20", "--yes"])
    run(["--data", str(appliance.root), "certificate", "check"])
    return {
        "version": __version__,
        "token": ada.token,
        "made": made,
        "public": public["id"],
        "private": private["id"],
        "resource": measured["id"],
    }


def main() -> None:
    """Write it, in place of a former one of this version."""
    with tempfile.TemporaryDirectory() as folder:
        appliance = Appliance(Path(folder) / "data")
        try:
            notes = fill(appliance)
        finally:
            appliance.stop()
        target = FOLDER / f"{__version__}.sql"
        dump(appliance.settings.database, target, notes)
    sys.stdout.write(f"{target.name}: {target.stat().st_size >> 10} KiB\n")


if __name__ == "__main__":
    main()
