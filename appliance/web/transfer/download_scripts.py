"""Scripts that fetch many files and check them: for curl, and for a Python without any packages."""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Sequence
from urllib.parse import quote

_SHELL = """#!/bin/sh
# Downloads the files of {title} from {site} and checks them. Run it again to go on after an interruption.
#   DCOR_TOKEN=...         API token, for what is not public
#   CURL_CA_BUNDLE=FILE    certificate of the server, if your system does not know it
set -eu
failed=0

fetch() {{  # URL FILE SIZE SHA256
    mkdir -p "$(dirname "$2")"
    have=0
    if [ -f "$2" ]; then have=$(wc -c < "$2"); fi
    if [ "$have" -lt "$3" ]; then
        echo "$2"
        if [ -n "${{DCOR_TOKEN:-}}" ]; then
            printf 'header = "Authorization: %s"\\n' "$DCOR_TOKEN" |
                curl --config - --fail --location --retry 5 --continue-at - --output "$2" "$1" || failed=1
        else
            curl --fail --location --retry 5 --continue-at - --output "$2" "$1" || failed=1
        fi
    fi
    if [ -n "$4" ]; then
        echo "$4  $2" | sha256sum --check --quiet - || failed=1
    fi
}}

{calls}

if [ "$failed" -ne 0 ]; then echo "Some files are missing or damaged; see above." >&2; fi
exit "$failed"
"""

_PYTHON = '''#!/usr/bin/env python3
"""Downloads the files of {title} from {site} and checks them. Run it again to go on after an interruption.

Environment: DCOR_TOKEN = API token, for what is not public; SSL_CERT_FILE = certificate of the server, if your system
does not know it. Needs nothing but Python 3.8 or newer.
"""
import hashlib
import json
import os
import sys
import urllib.request

FILES = json.loads(r"""
{files}
""")


def fetch(url, name, size):
    have = os.path.getsize(name) if os.path.exists(name) else 0
    if have >= size:
        return
    headers = {{"Range": "bytes=%d-" % have}} if have else {{}}
    if os.environ.get("DCOR_TOKEN"):
        headers["Authorization"] = os.environ["DCOR_TOKEN"]
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        with open(name, "ab" if answer.status == 206 else "wb") as target:
            for block in iter(lambda: answer.read(1 << 20), b""):
                target.write(block)


def checksum(name):
    digest = hashlib.sha256()
    with open(name, "rb") as source:
        for block in iter(lambda: source.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def main():
    failed = 0
    for url, name, size, sha256 in FILES:
        print(name)
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        try:
            fetch(url, name, size)
        except OSError as error:
            print("  failed: %s" % error, file=sys.stderr)
            failed = 1
            continue
        if sha256 and checksum(name) != sha256:
            print("  damaged: the checksum differs; delete the file and run this again", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
'''


def checksums(rows: Sequence[sqlite3.Row]) -> str:
    """A list for ``sha256sum --check``; files whose checksum is not known yet stand in comments."""
    lines = [f"{row['sha256']}  {_path(row)}" if row["sha256"] else f"# {_path(row)}: not known yet" for row in rows]
    return "\n".join(lines) + "\n"


def shell(rows: Sequence[sqlite3.Row], site_url: str, title: str) -> str:
    """A POSIX shell script around curl and sha256sum."""
    calls = [
        " ".join(["fetch", *map(shlex.quote, (_url(row, site_url), _path(row), str(row["size"]), row["sha256"] or ""))])
        for row in rows
    ]
    return _SHELL.format(title=title, site=site_url, calls="\n".join(calls))


def python(rows: Sequence[sqlite3.Row], site_url: str, title: str) -> str:
    """A Python script that needs no packages."""
    files = [[_url(row, site_url), _path(row), row["size"], row["sha256"]] for row in rows]
    listed = ",\n".join(json.dumps(file) for file in files)  # ASCII, and no quote stands alone: safe in a raw string
    return _PYTHON.format(title=title, site=site_url, files=f"[{listed}]")


def _url(row: sqlite3.Row, site_url: str) -> str:
    return f"{site_url}/dataset/{row['dataset_id']}/resource/{row['id']}/download/{quote(row['name'])}"


def _path(row: sqlite3.Row) -> str:
    return f"{row['dataset']}/{row['name']}"
