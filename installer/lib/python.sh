# Shared by installer/install.sh and tests/run.sh: find a usable Python, make a virtual environment, install once.
# shellcheck shell=sh
# Sourced, never run. Everything that a person has to read goes to stderr.

# Is $1 a Python that this project runs on? (Version managers put commands on the PATH that only print an error,
# hence the try-out instead of a look at the name.)
python_is_new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Debian and Ubuntu ship Python without ensurepip; a virtual environment made then has no pip.
python_can_make_venvs() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

# Print the first usable Python on stdout. Returns 1 after saying on stderr what is missing and how to get it.
# $DCOR_PYTHON names one to use instead of looking; with "offline" as the argument, ensurepip is not needed.
find_python() {
    without_venv=
    for candidate in ${DCOR_PYTHON:-python3 python3.13 python3.12 python3.11 /usr/bin/python3}; do
        python_is_new_enough "$candidate" || continue
        if [ "${1:-}" = offline ] || python_can_make_venvs "$candidate"; then
            echo "$candidate"
            return 0
        fi
        [ -n "$without_venv" ] || without_venv=$candidate
    done
    if [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        cat >&2 <<EOM
Python $version is here, but it cannot make virtual environments: a package is missing.
  Debian, Ubuntu:  sudo apt-get install python$version-venv     (or: python3-venv)
Then run the same command again.
EOM
        return 1
    fi
    found=$(python3 --version 2>/dev/null || echo "no Python 3")
    cat >&2 <<EOM
Python 3.11 or newer is needed; this machine has: $found.
  Debian 12/13, Ubuntu 24.04:  sudo apt-get install python3 python3-venv
  Ubuntu 22.04 (Python 3.10):  sudo apt-get install python3.11 python3.11-venv   (in "universe")
Then run the same command again. DCOR_PYTHON=/path/to/python names a Python that is not on the PATH.
EOM
    return 1
}

# install_into VENV PYTHON LIST WHAT...: make the virtual environment VENV, pip-install LIST (every version pinned, every file
# with its hash) and, without anything else from the network, WHAT (run in the checkout), unless that was done before with the
# same pyproject.toml and LIST. pip's own output goes to VENV/install.log and is shown on failure.
install_into() {
    venv=$1
    python=$2
    list=$3
    shift 3
    stamp="$(cat pyproject.toml "$list" | cksum) $*"
    if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.installed" 2>/dev/null)" = "$stamp" ]; then
        return 0
    fi
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        rm -rf "$venv"
        "$python" -m venv "$venv" || return 1
    fi
    rm -f "$venv/.installed"
    pip="$venv/bin/python -m pip install --disable-pip-version-check"
    # shellcheck disable=SC2086  # words
    if ! { $pip --no-compile --require-hashes -r "$list" && $pip --no-deps --no-build-isolation "$@"; } >"$venv/install.log" 2>&1; then
        tail -n 25 "$venv/install.log" >&2
        echo "The installation into $venv failed; the whole log: $venv/install.log" >&2
        return 1
    fi
    echo "$stamp" >"$venv/.installed"
}
