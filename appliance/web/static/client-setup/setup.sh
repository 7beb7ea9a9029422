#!/bin/sh
# Makes the programs of this user (dclab, DCscope, DCOR-Aid) trust the DCOR server @HOST@,
# and tests the connection. Undo with: sh setup.sh --remove
set -eu

host='@HOST@'
url='@URL@'
fingerprint='@FINGERPRINT@'
here=$(cd "$(dirname "$0")" && pwd)
home="$HOME/.dcor/$host"
bundle="$home/ca-bundle.pem"
agent="$HOME/Library/LaunchAgents/org.dcor.ca-bundle.plist"
session="$HOME/.config/environment.d/50-dcor.conf"
mark='# DCOR server certificate'

profiles() {
    for name in .profile .zprofile .bash_profile; do
        if [ "$name" = .profile ] || [ -e "$HOME/$name" ]; then
            printf '%s\n' "$HOME/$name"
        fi
    done
}

forget() {
    profiles | while read -r profile; do
        if [ -e "$profile" ] && grep -q "$mark\$" "$profile"; then
            grep -v "$mark\$" "$profile" >"$profile.dcor" || true
            cat "$profile.dcor" >"$profile"
            rm -f "$profile.dcor"
        fi
    done
    rm -f "$session" "$agent"
    if [ "$(uname)" = Darwin ]; then
        launchctl unsetenv REQUESTS_CA_BUNDLE 2>/dev/null || true
    fi
}

if [ "${1:-}" = --remove ]; then
    forget
    rm -rf "$home"
    echo "Removed. Log out and in again."
    exit 0
fi

# Another bundle that is in use already (a hospital's proxy, say) stays valid.
base="$here/ca-bundle.pem"
if [ -n "${REQUESTS_CA_BUNDLE:-}" ] && [ "$REQUESTS_CA_BUNDLE" != "$bundle" ] && [ -r "$REQUESTS_CA_BUNDLE" ]; then
    base="$REQUESTS_CA_BUNDLE"
fi
mkdir -p "$home"
{
    cat "$base"
    echo
    cat "$here/server.cert"
} >"$bundle.part"
mv "$bundle.part" "$bundle"
# dclab looks for certificates of single servers under their names.
cp "$here/server.cert" "$home/$host.cert"

forget
profiles | while read -r profile; do
    printf '\nexport REQUESTS_CA_BUNDLE="%s" %s\n' "$bundle" "$mark" >>"$profile"
done
if [ "$(uname)" = Darwin ]; then
    mkdir -p "$(dirname "$agent")"
    cat >"$agent" <<PLIST
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>Label</key><string>org.dcor.ca-bundle</string>
<key>RunAtLoad</key><true/>
<key>ProgramArguments</key><array>
<string>/bin/launchctl</string><string>setenv</string><string>REQUESTS_CA_BUNDLE</string><string>$bundle</string>
</array></dict></plist>
PLIST
    launchctl setenv REQUESTS_CA_BUNDLE "$bundle" || true
else
    mkdir -p "$(dirname "$session")"
    printf 'REQUESTS_CA_BUNDLE=%s\n' "$bundle" >"$session"
fi

echo "Set up for this user. The certificate's SHA-256 fingerprint, to compare with the administrator's:"
echo "  $fingerprint"
echo "Testing $url ..."
if ! command -v curl >/dev/null 2>&1; then
    echo "There is no curl to test with; open $url in a browser." >&2
    exit 1
fi
if answer=$(curl --silent --show-error --max-time 20 --cacert "$bundle" "$url/api/3/action/status_show"); then
    case $answer in
        *'"success": true'* | *'"success":true'*)
            echo "The server answers and its certificate is valid. Log out and in again, then start your program."
            ;;
        *)
            echo "Something answers at $url, but it is no DCOR server." >&2
            exit 1
            ;;
    esac
else
    echo "No connection. Is this computer in the hospital's network, and is the name $host known in it?" >&2
    exit 1
fi
