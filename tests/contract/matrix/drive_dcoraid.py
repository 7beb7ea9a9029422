"""Runs in the environment of an old DCOR-Aid (Python >= 3.8): what its window does, through the same classes.

Argument: a JSON object with url, access, passphrase, local, folder, circle. Prints a JSON object: step -> "" or what went wrong.
"""

import hashlib
import inspect
import json
import os
import pathlib
import sys
import time
import traceback
import warnings
import zipfile

warnings.simplefilter("ignore")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import dclab  # noqa: E402
import dcoraid  # noqa: E402
from dcoraid.api import CKANAPI  # noqa: E402

given = json.loads(sys.argv[1])
found, kept = {}, {}
folder = pathlib.Path(given["folder"])
local = pathlib.Path(given["local"])


def step(name):
    """Run the decorated function; keep what went wrong."""

    def run(function):
        try:
            function()
            found[name] = ""
        except Exception as error:
            if "--trace" in sys.argv:
                traceback.print_exc()
            found[name] = "%s: %s" % (type(error).__name__, str(error)[:300])  # noqa: UP031
        return function

    return run


def access():
    """Server, token and certificate from the access file, by dclab's reader where there is one."""
    try:
        from dclab.rtdc_dataset.fmt_dcor import access_token
    except ImportError:
        with zipfile.ZipFile(given["access"]) as archive:
            password = given["passphrase"].encode()
            token = archive.read("api_key.txt", pwd=password).decode().strip()
            return given["url"], token, archive.read("server.cert", pwd=password)
    path, password = given["access"], given["passphrase"]
    return (
        access_token.get_hostname(path, password),
        access_token.get_api_key(path, password),
        access_token.get_certificate(path, password),
    )


def _fetched(condensed):
    from dcoraid.download.job import DownloadJob

    target = folder / ("condensed" if condensed else "whole")
    target.mkdir(exist_ok=True)
    knows = "condensed" in inspect.signature(DownloadJob.__init__).parameters
    if condensed and not knows:
        raise NotImplementedError("only whole files")
    job = DownloadJob(kept["api"], kept["resource"], target, **({"condensed": condensed} if knows else {}))
    job.task_download_resource()
    job.task_verify_resource()
    assert job.state == "done", (job.state, job.traceback)
    return pathlib.Path(job.path)


@step("connect")
def _connect():
    server, token, certificate = access()
    pinned = folder / "pinned.cert"
    pinned.write_bytes(certificate)
    options = {"server": server, "api_key": token}
    if "ssl_verify" in inspect.signature(CKANAPI.__init__).parameters:
        options["ssl_verify"] = str(pinned)
    kept["api"] = api = CKANAPI(**options)
    asked = inspect.signature(api.is_available).parameters
    ways = {"with_api_key": True, "with_correct_version": True}
    assert api.is_available(**{key: value for key, value in ways.items() if key in asked})
    assert api.get_user_dict()["name"] == given["user"]


@step("upload")
def _upload():
    try:
        from dcoraid.api import dataset_create
    except ImportError:
        from dcoraid.upload.dataset import create_dataset as dataset_create
    from dcoraid.upload.job import UploadJob

    api = kept["api"]
    described = {
        "title": "Matrix " + dcoraid.__version__,
        "authors": "A. Author",
        "license_id": "CC0-1.0",
        "owner_org": given["circle"],
        "private": True,
    }
    kept["dataset"] = dataset_create(described, api=api)
    copy = folder / "first.rtdc"
    copy.write_bytes(local.read_bytes())
    options = {"cache_dir": folder} if "cache_dir" in inspect.signature(UploadJob.__init__).parameters else {}
    supplements = [{"chip": {"channel width": 20.5}}]
    job = UploadJob(api, kept["dataset"]["id"], [copy], resource_supplements=supplements, **options)
    job.task_compress_resources()
    kept["sent"] = hashlib.sha256(pathlib.Path(job.paths[0]).read_bytes()).hexdigest()
    job.task_upload_resources()
    job.task_verify_resources()
    assert job.state == "done", (job.state, job.traceback)
    shown = api.get("package_show", id=kept["dataset"]["id"])
    assert (shown["state"], len(shown["resources"])) == ("active", 1)
    assert shown["resources"][0]["sp:chip:channel width"] == 20.5
    kept["resource"] = shown["resources"][0]["id"]


@step("list")
def _list():
    from dcoraid.dbmodel import APIInterrogator

    source = APIInterrogator(kept["api"])
    search = getattr(source, "search_dataset_via_api", None) or source.search_dataset
    hits = search("Matrix", circles=[given["circle"]])
    assert kept["dataset"]["id"] in [one["id"] for one in hits], "not found"
    own = source.get_datasets_user_owned()
    assert kept["dataset"]["id"] in [one["id"] for one in own], "not own"
    circles = [one if isinstance(one, str) else one["name"] for one in source.get_circles()]
    assert given["circle"] in circles, circles


@step("download")
def _download():
    path = _fetched(False)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == kept["sent"]


@step("condensed")
def _condensed():
    for _ in range(240):  # jobs make it after the upload
        shown = kept["api"].get("resource_show", id=kept["resource"])
        if shown.get("dc:experiment:event count"):
            break
        time.sleep(0.5)
    for attempt in range(60):
        try:
            path = _fetched(True)
            break
        except Exception:
            if attempt == 59:
                raise
            time.sleep(1)
    with dclab.new_dataset(path) as ds:
        assert len(ds["deform"]) == len(ds)


print(
    json.dumps(
        {"version": dcoraid.__version__, "python": sys.version.split()[0], "with": dclab.__version__, "steps": found}
    )
)
