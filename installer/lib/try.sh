# The try-out: one virtual environment and one data folder inside the checkout, no root, no question.
# shellcheck shell=sh disable=SC2154
# Sourced by install.sh with its arguments in "$@"; $caller is the folder the caller stands in.

port=8443
hostname=localhost
data=$PWD/.try
open=
while [ $# -gt 0 ]; do
    case $1 in
        --try) ;;
        --no-open) open=--no-open ;;
        --data | --port | --hostname)
            if [ $# -lt 2 ]; then
                echo "$1 needs a value." >&2
                exit 2
            fi
            case $1 in
                --data)
                    case $2 in
                        /*) data=$2 ;;
                        *) data=$caller/$2 ;;
                    esac
                    ;;
                --port) port=$2 ;;
                --hostname) hostname=$2 ;;
            esac
            shift
            ;;
        *)
            echo "Unknown option for the try-out: $1" >&2
            usage >&2
            exit 2
            ;;
    esac
    shift
done

python=$(find_python) || exit 1
[ -f .venv/.installed ] || echo "[1/4] Installing into .venv (once; half a minute to four minutes, by the network) …"
# Without compiling: what is used gets compiled at its first import, the rest of a hundred megabytes never.
install_into .venv "$python" installer/requirements.txt --no-compile -e . || exit 1

# From here on Python takes over; `exec` hands it this terminal, so that Ctrl-C reaches the service itself.
# shellcheck disable=SC2086  # $open is one word or none
exec .venv/bin/dcor --data "$data" demo start --hostname "$hostname" --port "$port" $open
