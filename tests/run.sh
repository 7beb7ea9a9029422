#!/bin/sh
# Run everything a change has to pass: ruff, mypy and the tests, in an environment of their own (.venv-test).
#
#   tests/run.sh                   the checks and all fast tests
#   tests/run.sh tests/store -k x  the checks and those tests (arguments go to pytest)
#   tests/run.sh -m slow           the checks and the slow tests
#   tests/run.sh -m soak           those that take half an hour or more
#   TESTS_ONLY=1 tests/run.sh …    only pytest
#
# Needs Python ≥ 3.11 with venv, and on the first run either a network or pip's own settings for an offline index.
set -u
cd "$(dirname "$0")/.." || exit 2
. installer/lib/python.sh

python=$(find_python) || exit 2
[ -f .venv-test/.installed ] || echo "Setting up .venv-test (once; a minute or so) …"
install_into .venv-test "$python" tests/requirements.txt --no-compile -e . || exit 2

failed=0
check() {
    echo "== $*"
    tool=$1
    shift
    ".venv-test/bin/$tool" "$@" || failed=$?
}

if [ -z "${TESTS_ONLY:-}" ]; then
    check ruff check .
    check ruff format --check .
    check mypy
fi

# Slow tests only when asked for; and two workers, as most tests wait for a server they started, not for the CPU.
selection='not slow'
workers='-n 2'
for argument in "$@"; do
    case $argument in
        -m | -m*) selection= ;;
        -n | -n* | --pdb | -s) workers= ;;
    esac
done
if [ -n "$selection" ]; then
    set -- -m "$selection" "$@"
fi
# shellcheck disable=SC2086  # two words, or none
check pytest $workers "$@"
exit "$failed"
