#!/bin/sh
# Make the offline bundle: one file that installs the appliance on a machine without any network.
#
#   installer/bundle.sh [--out DIR] [--key PRIVATE.pem] [--python PYTHON]
#
# It holds the program and everything it needs as wheels (for the Python and the processor it is made with), their
# hashes, a CycloneDX list of what is in it, checksums of every file, and with --key an Ed25519 signature over those.
# On the other machine:  tar xf FILE && sudo ./dcor-appliance-VERSION/installer/install.sh --hostname NAME
# A key pair:  openssl genpkey -algorithm ed25519 -out release.pem && openssl pkey -in release.pem -pubout -out release.pub
set -eu
caller=$PWD
cd "$(dirname "$0")/.."
. installer/lib/python.sh

out=$caller
key=
while [ $# -gt 0 ]; do
    case $1 in
        --out | --key | --python)
            [ $# -ge 2 ] || { echo "$1 needs a value." >&2 && exit 2; }
            case $2 in
                /*) value=$2 ;;
                *) value=$caller/$2 ;;
            esac
            case $1 in
                --out) out=$value ;;
                --key) key=$value ;;
                --python) export DCOR_PYTHON="$2" ;;
            esac
            shift
            ;;
        -h | --help)
            sed -n '2,/^set -eu/s/^# \{0,1\}//p' installer/bundle.sh
            exit 0
            ;;
        *)
            echo "Unknown option: $1" >&2
            exit 2
            ;;
    esac
    shift
done

python=$(find_python) || exit 1
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' appliance/__init__.py)
tag=$("$python" -c 'import sys, platform; print(f"py{sys.version_info[0]}{sys.version_info[1]}-{platform.machine()}")')
name=dcor-appliance-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$work/$name
mkdir -p "$top/wheelhouse" "$out"

echo "[1/4] Collecting wheels …"
"$python" -m venv "$work/venv"
pip="$work/venv/bin/python -m pip --disable-pip-version-check"
# The tree is copied first, so that building leaves nothing behind in the checkout.
mkdir "$work/source"
tar -cf - pyproject.toml README.md LICENSE appliance docs | tar -xf - -C "$work/source"
# The versions and hashes of installer/requirements.txt, so that a bundle is the same as an installation from the network.
{
    $pip wheel --quiet --wheel-dir "$top/wheelhouse" --require-hashes -r installer/requirements.txt &&
        $pip install --quiet --upgrade --no-index --find-links "$top/wheelhouse" setuptools &&
        $pip wheel --quiet --wheel-dir "$top/wheelhouse" --no-deps --no-build-isolation "$work/source"
} >"$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
rm "$top/wheelhouse"/setuptools-*.whl # built with, not needed where it is installed
if find "$top/wheelhouse" -type f ! -name '*.whl' | grep -q .; then
    echo "Something could not be had as a wheel: $(find "$top/wheelhouse" -type f ! -name '*.whl')" >&2
    exit 1
fi

echo "[2/4] Hashes and list of components …"
"$python" installer/components.py "$top/wheelhouse" --requirements "$top/requirements.txt" --sbom "$top/sbom.cdx.json"

echo "[3/4] Programs of the installer …"
cp -R installer systemd LICENSE README.md "$top/"
mkdir -p "$top/appliance/tls" "$top/appliance/model"
# What install.sh asks before anything is installed: the version and the rules for host names.
cp appliance/__init__.py "$top/appliance/"
cp appliance/tls/__init__.py appliance/tls/names.py "$top/appliance/tls/"
cp appliance/model/__init__.py appliance/model/problem.py "$top/appliance/model/"
[ ! -d docs ] || cp -R docs "$top/"
find "$top" -name __pycache__ -prune -exec rm -rf {} +
(cd "$top" && find . -type f ! -path ./SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort | xargs -d '\n' sha256sum >SHA256SUMS)
if [ -n "$key" ]; then
    openssl pkeyutl -sign -inkey "$key" -rawin -in "$top/SHA256SUMS" -out "$top/SHA256SUMS.sig"
fi

echo "[4/4] Packing …"
file=$out/$name-$tag.tar
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime='2026-01-01 00:00:00Z' -cf "$file.part" -C "$work" "$name"
mv "$file.part" "$file"
echo "$file ($(du -h "$file" | cut -f1), $(find "$top/wheelhouse" -name '*.whl' | wc -l) wheels$([ -z "$key" ] || echo ", signed"))"
