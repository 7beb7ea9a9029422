# Installing from the wheels of a bundle: checked against its list of checksums, without any network.
# shellcheck shell=sh

# check_bundle FOLDER [KEY]: every file is the one that was listed when the bundle was made; with a public key (PEM,
# Ed25519), the list is the one that its owner signed.
check_bundle() {
    # Nothing but files and folders: a link could lead anywhere, and its target would be read or written as root.
    strange=$(cd "$1" && find . ! -type f ! -type d | head -n 3)
    if [ -n "$strange" ]; then
        echo "The bundle holds something that is neither a file nor a folder, and is not used: $strange" >&2
        return 1
    fi
    if [ ! -f "$1/SHA256SUMS" ]; then
        echo "The bundle has no list of checksums (SHA256SUMS), and is not used." >&2
        return 1
    fi
    (cd "$1" && sha256sum --quiet --strict -c SHA256SUMS) || {
        echo "The bundle is damaged: a file differs from its checksum. Copy it again." >&2
        return 1
    }
    # A file that is not on the list must not be installed either, whatever its name; only the list itself and its signature are not on it.
    listed=$(sed 's/^[0-9a-f]*  //' "$1/SHA256SUMS" | LC_ALL=C sort)
    present=$(cd "$1" && find . -type f ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sed 's|^\./||' | LC_ALL=C sort)
    if [ "$listed" != "$present" ]; then
        echo "The bundle holds files that are not on its list of checksums." >&2
        return 1
    fi
    if [ -n "${2:-}" ]; then
        if ! openssl pkeyutl -verify -pubin -inkey "$2" -rawin -in "$1/SHA256SUMS" -sigfile "$1/SHA256SUMS.sig" >/dev/null 2>&1; then
            echo "The signature of the bundle is not by the owner of $2." >&2
            return 1
        fi
    elif [ -f "$1/SHA256SUMS.sig" ]; then
        echo "WARNING: nobody checked by whom this bundle is signed. --release-key FILE does, now and at every update." >&2
    else
        echo "WARNING: this bundle is NOT SIGNED. Whoever could change it can do anything on this machine." >&2
    fi
}

# install_offline PYTHON VENV FOLDER: make VENV from the wheels in FOLDER/wheelhouse. Needs neither ensurepip
# (python3-venv) nor a network: pip itself comes as a wheel and runs from it.
install_offline() {
    "$1" -m venv --without-pip "$2" || return 1
    # By its name on the list, not by what lies there.
    pip=$(sed -n 's|^[0-9a-f]\{64\}  \(wheelhouse/pip-[0-9][A-Za-z0-9._-]*\.whl\)$|\1|p' "$3/SHA256SUMS")
    [ -n "$pip" ] && [ -f "$3/$pip" ] || {
        echo "The bundle lacks pip." >&2
        return 1
    }
    pip=$3/$pip
    if ! PYTHONPATH=$pip PIP_CONFIG_FILE=/dev/null "$2/bin/python" -m pip install --no-index --no-cache-dir --disable-pip-version-check \
        --find-links "$3/wheelhouse" --require-hashes -r "$3/requirements.txt" >"$2/install.log" 2>&1; then
        tail -n 20 "$2/install.log" >&2
        echo "The installation from the bundle failed. Was it made for this Python ($("$1" --version)) and this processor?" >&2
        return 1
    fi
}
