"""After a small life with log-ins, tokens, uploads, errors and backups, no secret lies about in the clear."""

from __future__ import annotations

import dataclasses
import io
import logging
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import h5py
import pytest

from appliance.actions import accounts
from appliance.cli.root import run
from appliance.model.viewer import OPERATOR
from appliance.store import audit_chain
from appliance.web.api.registry import ACTIONS, Call
from tests.support.furnished import House, Visitor
from tests.support.samples import synthetic
from tests.support.server import Appliance

PASSWORD, NEXT_PASSWORD, WRONG = "planted horse battery 41", "planted staple wagon 42", "planted wrong guess 43"
SAMPLE, FILE = "planted-sample-name", "planted-file-name.rtdc"


@dataclass
class Life:
    """What was secret, and everything that was said about it in logs."""

    appliance: Appliance
    secrets: dict[str, str]
    log: str
    support: bytes = b""
    said: str = ""
    confidential: list[str] = field(default_factory=lambda: [SAMPLE, FILE, "planted.person"])


@pytest.fixture(scope="module")
def life(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Lives it, with every logger of the service at its most talkative."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    loggers = [logging.getLogger(name) for name in ("appliance", "waitress", "huey", "werkzeug", "flask")]
    for one in loggers:
        one.addHandler(handler)
        one.setLevel(logging.DEBUG)
    yield _lived(house, tmp_path_factory.mktemp("out"), heard)
    for one in loggers:
        one.removeHandler(handler)
        one.setLevel(logging.NOTSET)


def _lived(house: House, out: Path, heard: io.StringIO) -> Life:
    site = house.appliance
    person = site.person("planted", password=PASSWORD)
    assert (
        person.post(
            "user_patch", email="planted.person@example.org", old_password=PASSWORD, fullname="Planted Person"
        ).status
        == 200
    )
    visitor = Visitor(site)
    visitor.post("/user/login", login="planted", password=WRONG)
    visitor.post("/user/login", login="planted", password=PASSWORD)
    secrets = {
        "password": PASSWORD,
        "wrong password": WRONG,
        "token": person.token,
        "cookie": visitor.http.cookies["__Host-dcor"],
    }
    secrets["minted token"] = person.post("api_token_create", name="more").result["token"]
    page = visitor.page("/user/planted/access-file")
    secrets["passphrase"] = page.split('name="passphrase" value="')[1].split('"')[0]
    assert visitor.post("/user/planted/access-file", passphrase=secrets["passphrase"]).status_code == 200
    secrets["link"] = accounts.one_time_link(site.context, OPERATOR, "planted")
    Visitor(site).post(f"/user/password/{secrets['link']}", password=NEXT_PASSWORD, again=NEXT_PASSWORD)
    secrets["new password"] = NEXT_PASSWORD

    person.circle("planted-lab")
    made = person.draft("planted-lab", title="Blood", private=True)
    file = person.add(made["id"], _named_sample(out), FILE)
    site.jobs_done(file["id"])
    links = person.get("dcserv", id=file["id"], query="basins", version="2").result
    secrets["signature"] = urlsplit(links[0]["urls"][0]).query.rpartition("signature=")[2].split("&")[0]
    site.nobody.fetch("/objects/resource/x?signature=" + secrets["signature"])
    _fail(person, visitor)

    key_sheet = out / "key-sheet.txt"
    data = ["--data", str(site.root)]
    assert run([*data, "backup", "keys", "--out", str(key_sheet)]) == 0
    assert run([*data, "backup", "create"]) == 0
    assert run([*data, "support-bundle", "--out", str(out / "support.tar.gz")]) in {0, 1}
    support = b""
    with tarfile.open(out / "support.tar.gz") as bundle:
        for member in bundle.getmembers():
            content = bundle.extractfile(member)
            support += content.read() if content else b""
    secrets["private key"] = next(word for word in key_sheet.read_text().split() if word.startswith("AGE-SECRET-KEY-"))
    return Life(site, secrets, heard.getvalue(), support)


def _named_sample(folder: Path) -> Path:
    path = folder / FILE
    path.write_bytes(synthetic().read_bytes())
    with h5py.File(path, "a") as h5:
        h5.attrs["experiment:sample"] = SAMPLE
    return path


def _fail(person: object, visitor: Visitor) -> None:
    """Internal errors in the API and in a page while secrets are in hand."""

    def broken(call: Call) -> None:
        credentials = (call.data, call.viewer)
        raise RuntimeError(f"broken on purpose {len(credentials)}")

    kept = ACTIONS["user_show"]
    ACTIONS["user_show"] = dataclasses.replace(kept, handler=broken)
    try:
        assert person.post("user_show", password=PASSWORD).status == 500  # type: ignore[attr-defined]
    finally:
        ACTIONS["user_show"] = kept


def test_no_secret_is_in_the_log(life: Life) -> None:
    assert "http.request" in life.log, "the log was on"
    assert {name for name, secret in life.secrets.items() if secret in life.log} == set()


def test_no_name_of_a_person_sample_or_file_is_in_the_log(life: Life) -> None:
    assert [word for word in life.confidential if word in life.log] == []


def test_no_secret_is_in_any_file_of_the_data_root(life: Life) -> None:
    found = set()
    for path in life.appliance.root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            found |= {(path.name, name) for name, secret in life.secrets.items() if secret.encode() in content}
    assert found == set()


def test_no_secret_is_in_the_support_bundle(life: Life) -> None:
    assert life.support
    assert {name for name, secret in life.secrets.items() if secret.encode() in life.support} == set()
    assert b"planted.person@example.org" not in life.support


def test_no_secret_is_in_an_incident(life: Life) -> None:
    with life.appliance.context.db.read() as conn:
        traces = "".join(row["trace"] for row in conn.execute("SELECT trace FROM incident"))
    assert "broken on purpose" in traces
    assert {name for name, secret in life.secrets.items() if secret in traces} == set()


def test_no_secret_is_in_the_arguments_or_environment_of_a_process(life: Life) -> None:
    seen = 0
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                content = (process / name).read_bytes()
            except OSError:
                continue
            seen += 1
            assert not any(secret.encode() in content for secret in life.secrets.values()), process
    assert seen


def test_processes_that_open_files_inherit_no_environment(life: Life) -> None:
    zygotes = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"appliance.jobs.zygote" in (process / "cmdline").read_bytes():
                zygotes.append({entry.partition(b"=")[0] for entry in (process / "environ").read_bytes().split(b"\0")})
        except OSError:
            continue
    assert zygotes
    assert not any(name.startswith((b"DCOR", b"SSH", b"XDG", b"AWS")) for names in zygotes for name in names)


def test_the_data_root_is_nobody_elses_business(life: Life) -> None:
    """Nothing is writable for others, and databases, keys and unfinished files are readable for the service alone."""
    root = life.appliance.root
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in root.rglob("*") if not path.is_symlink()}
    assert {str(path) for path, mode in modes.items() if mode & 0o022} == set()
    private = [
        path
        for path in modes
        if path.name.startswith(("dcor.sqlite", "jobs.sqlite"))
        or {"secrets", "backups", "parts"} & set(path.relative_to(root).parts)
    ]
    open_to_others = {str(path.relative_to(root)): oct(modes[path]) for path in private if modes[path] & 0o077}
    closed = stat.S_IMODE(root.stat().st_mode) & 0o007 == 0
    assert closed or open_to_others == {}


def test_what_happened_is_in_the_audit_log(life: Life) -> None:
    with life.appliance.context.db.read() as conn:
        actions = {row["action"] for row in conn.execute("SELECT action FROM audit")}
        assert audit_chain.verify(conn).problems == []
    assert {
        "session.refused",
        "session.start",
        "token.create",
        "access.create",
        "user.link",
        "user.password",
        "resource.create",
    } <= actions
