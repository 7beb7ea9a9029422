"""The installed program: complete, unchanged since it was released, and not to be changed by anybody but root."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import os
import site as python_site
import stat
from collections.abc import Iterator
from pathlib import Path

from appliance.health.base import Finding, Level, Premises, check
from appliance.model.messages import Message

_NAME = Message("program")
_SHOWN = 5
_PACKAGE = "dcor-appliance"
_REINSTALL = Message("Reinstall this release, from its bundle or archive: sudo ./installer/install.sh --force")
_NEEDED = ("flask", "waitress", "huey", "h5py", "dclab", "hdf5plugin", "cryptography", "argon2")


@check(
    _NAME,
    "the program is complete, as it was released (hashes of every file), and cannot be changed by the service or others",
)
def program(premises: Premises) -> Iterator[Finding]:
    """The manual's items 2 (namespace packages), 3 (unreadable code) and 14 (an update that resets the environment)."""
    found = [*_packages(), *_rights(), *_changes(everything=premises.deep)]
    yield from found
    if not found:
        yield Finding(
            _NAME,
            Level.OK,
            Message("%(code)s, %(own_files)s files as released", code=_code(), own_files=len(_own_files())),
        )


def _packages() -> Iterator[Finding]:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding(
            _NAME,
            Level.PROBLEM,
            Message("missing packages: %(missing)s", missing=", ".join(missing)),
            Message("Requests or jobs fail."),
            _REINSTALL,
        )
    hooks = [path for folder in python_site.getsitepackages() for path in Path(folder).glob("*nspkg.pth")]
    if hooks:
        yield Finding(
            _NAME,
            Level.WARNING,
            Message("namespace hooks of other packages: %(hooks)s", hooks=", ".join(path.name for path in hooks)),
            Message("They can prevent Python from starting."),
            Message("Do not install other packages in the appliance's environment."),
        )


def _rights() -> Iterator[Finding]:
    code = _code()
    open_ = [path for path in (code, *code.rglob("*")) if _writable_by_others(path)]
    if open_:
        yield Finding(
            _NAME,
            Level.PROBLEM,
            Message("%(code)s can be written by every account", code=_names(open_, code)),
            Message("Anyone on this machine could change what the service does."),
            f"sudo chmod -R go-w {code}",
        )
    if str(code).startswith("/opt/dcor/") and os.access(code, os.W_OK, effective_ids=True):
        yield Finding(
            _NAME,
            Level.WARNING,
            Message("%(code)s can be written by this account", code=code),
            Message("An intruder could change the program permanently."),
            f"sudo chown -R root: {code.parents[4] if len(code.parents) > 4 else code}",
        )


def _changes(*, everything: bool) -> Iterator[Finding]:
    """Own files against the hashes of the release; those of other packages by their size, or also by hash."""
    listed = _own_files()
    code = _code()
    if not listed:
        if (code.parent / "pyproject.toml").exists():
            text = Message("%(code)s is a working copy: there are no hashes to compare it with", code=code)
            yield Finding(_NAME, Level.NOTE, text, Message("Intended only for development."))
        else:
            yield Finding(
                _NAME,
                Level.PROBLEM,
                Message("the release's list of hashes is missing next to %(code)s", code=code),
                Message("Changes of the program cannot be found."),
                _REINSTALL,
            )
        return
    missing = [path for path in listed if not path.is_file()]
    changed = [path for path in listed if path.is_file() and not _same(path, listed[path])]
    strange = [path for path in code.rglob("*.py") if path not in listed]
    for paths, what in (
        (missing, "are missing"),
        (changed, "are not as released"),
        (strange, "do not belong to the release"),
    ):
        if paths:
            yield Finding(
                _NAME,
                Level.PROBLEM,
                Message(
                    "%(paths)s of its files %(what)s: %(code)s", paths=len(paths), what=what, code=_names(paths, code)
                ),
                Message("The service may fail or misbehave."),
                _REINSTALL,
            )
    others = _damaged_dependencies(everything=everything)
    if others:
        yield Finding(
            _NAME,
            Level.PROBLEM,
            Message(
                "%(others)s files of its packages are missing or have been changed: %(parent)s",
                others=len(others),
                parent=_names(others, code.parent),
            ),
            Message("Requests or jobs fail."),
            _REINSTALL,
        )


def _own_files() -> dict[Path, importlib.metadata.PackagePath]:
    """The files of this program with their hashes, as the release lists them; empty in a working copy."""
    try:
        files = importlib.metadata.distribution(_PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    code = _code()
    found = {Path(str(file.locate())): file for file in files if file.hash is not None}
    return {path: file for path, file in found.items() if path.is_relative_to(code)}


def _damaged_dependencies(*, everything: bool) -> list[Path]:
    """Files of the other packages beside this program that are missing or not as their lists say."""
    damaged = []
    for distribution in importlib.metadata.distributions(path=[str(_code().parent)]):
        if (distribution.metadata["Name"] or "").lower() == _PACKAGE:
            continue
        for file in distribution.files or []:
            if file.hash is None or file.parts[0] == "..":  # scripts in bin/ are made by the installer
                continue
            path = Path(str(file.locate()))
            try:
                size = path.stat().st_size
            except OSError:
                damaged.append(path)
                continue
            if size != (size if file.size is None else file.size) or (everything and not _same(path, file)):
                damaged.append(path)
    return damaged


def _same(path: Path, file: importlib.metadata.PackagePath) -> bool:
    assert file.hash is not None  # noqa: S101
    digest = hashlib.new(file.hash.mode, path.read_bytes(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value


def _writable_by_others(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not stat.S_ISLNK(mode) and bool(mode & stat.S_IWOTH)


def _names(paths: list[Path], top: Path) -> str:
    shown = ", ".join(str(path.relative_to(top)) if path != top else str(path) for path in sorted(paths)[:_SHOWN])
    return shown + (" …" if len(paths) > _SHOWN else "")


def _code() -> Path:
    return Path(__file__).resolve().parents[1]
