# Installing from the wheels of a bundle: checked against its list of checksums, without any network.
# shellcheck shell=sh

# check_bundle FOLDER [KEY]: every file is the one that was listed when the bundle was made; with a public key (PEM,
# Ed25519), the list is the one that its owner signed.
check_bundle() {
    (cd "$1" && sha256sum --quiet --strict -c SHA256SUMS) || {
        echo "The bundle is damaged: a file differs from its checksum. Copy it again." >&2
        return 1
    }
    # A file that is not on the list must not be installed either.
    listed=$(sed 's/^[0-9a-f]*  //' "$1/SHA256SUMS" | LC_ALL=C sort)
    present=$(cd "$1" && find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's|^\./||' | LC_ALL=C sort)
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
        echo "      (The bundle is signed; --release-key FILE checks by whom.)"
    fi
}

# install_offline PYTHON VENV FOLDER: make VENV from the wheels in FOLDER/wheelhouse. Needs neither ensurepip
# (python3-venv) nor a network: pip itself comes as a wheel and runs from it.
install_offline() {
    "$1" -m venv --without-pip "$2" || return 1
    pip=$(find "$3/wheelhouse" -name 'pip-*.whl' | head -n 1)
    [ -n "$pip" ] || {
        echo "The bundle lacks pip." >&2
        return 1
    }
    if ! PYTHONPATH=$pip PIP_CONFIG_FILE=/dev/null "$2/bin/python" -m pip install --no-index --no-cache-dir --disable-pip-version-check \
        --find-links "$3/wheelhouse" --require-hashes -r "$3/requirements.txt" >"$2/install.log" 2>&1; then
        tail -n 20 "$2/install.log" >&2
        echo "The installation from the bundle failed. Was it made for this Python ($("$1" --version)) and this processor?" >&2
        return 1
    fi
}
