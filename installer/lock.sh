#!/bin/sh
# Write the lists of what is installed, with versions and hashes, anew from pyproject.toml: installer/requirements.txt and
# tests/requirements.txt. Needs uv (https://docs.astral.sh/uv) and a network; what is pinned and still fits stays.
#
#   installer/lock.sh [--upgrade]
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What builds the program, and pip itself, are installed from the same lists.
printf 'setuptools>=77\npip\n' >"$work/tools.in"

lock() { # lock FILE OPTIONS...
    file=$1
    shift
    [ ! -f "$file" ] || cp "$file" "$work/new.txt"
    uv pip compile pyproject.toml "$work/tools.in" --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-annotate --no-header --quiet -o "$work/new.txt" "$@"
    {
        echo "# Written by installer/lock.sh; every file that pip takes must have one of these hashes."
        cat "$work/new.txt"
    } >"$file"
    rm "$work/new.txt"
}

# With the extras for signing in elsewhere and object storage, so that an installed service and the offline bundle have them.
lock installer/requirements.txt --extra ldap --extra archive "$@"
lock tests/requirements.txt --extra test "$@"
