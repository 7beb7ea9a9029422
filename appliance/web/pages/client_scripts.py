"""Scripts that let the Python clients on a computer trust this server: they get its certificate, check its fingerprint, and
tell the programs where it is.

`requests` (DCOR-Aid, dclab, ckanapi) reads ``REQUESTS_CA_BUNDLE``, which replaces its own list of authorities; so the
bundle holds those too. Nothing needs an administrator: everything is done for the signed-in user.
"""

from __future__ import annotations

_LINUX_FOLDER = "${XDG_CONFIG_HOME:-$HOME/.config}/dcor"
_NOTE = "Lets DCOR-Aid, DCscope and dclab of this user trust {host}."


def windows(site_url: str, fingerprint: str, certificate: str) -> str:
    """A PowerShell script (5.1 or newer)."""
    host = site_url.removeprefix("https://")
    return f"""# {_NOTE.format(host=host)}
# Run: right click, "Run with PowerShell". Start the programs anew afterwards.
$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:LOCALAPPDATA 'dcor'
New-Item -ItemType Directory -Force -Path $folder | Out-Null
$server = Join-Path $folder '{_file(host)}.pem'
$bundle = Join-Path $folder 'ca-bundle.pem'
@'
{certificate.strip()}
'@ | Set-Content -Encoding ascii $server
$leaf = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 $server
$sha = [System.Security.Cryptography.SHA256]::Create().ComputeHash($leaf.RawData)
$found = ($sha | ForEach-Object {{ $_.ToString('X2') }}) -join ':'
if ($found -ne '{fingerprint}') {{ throw "The fingerprint is $found, not the expected one. Ask your administrator." }}
$lines = foreach ($root in Get-ChildItem Cert:\\LocalMachine\\Root, Cert:\\CurrentUser\\Root) {{
  '-----BEGIN CERTIFICATE-----'
  [Convert]::ToBase64String($root.RawData, 'InsertLineBreaks')
  '-----END CERTIFICATE-----'
}}
($lines + (Get-Content (Join-Path $folder '*.pem') -Exclude 'ca-bundle.pem')) | Set-Content -Encoding ascii $bundle
[Environment]::SetEnvironmentVariable('REQUESTS_CA_BUNDLE', $bundle, 'User')
Write-Host "Done. Programs started from now on trust {host}."
"""


def linux(site_url: str, fingerprint: str, certificate: str) -> str:
    """A POSIX shell script for Linux."""
    host = site_url.removeprefix("https://")
    return f"""{_unix_head(host, fingerprint, certificate, _LINUX_FOLDER)}
for roots in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    if [ -r "$roots" ]; then cat "$roots" >"$bundle.new"; break; fi
done
{_UNIX_TAIL}
mkdir -p "$HOME/.config/environment.d"
echo "REQUESTS_CA_BUNDLE=$bundle" >"$HOME/.config/environment.d/dcor.conf"
grep -qs REQUESTS_CA_BUNDLE "$HOME/.profile" || echo "export REQUESTS_CA_BUNDLE='$bundle'" >>"$HOME/.profile"
echo "Done. Sign out and in again; then programs trust {host}."
"""


def macos(site_url: str, fingerprint: str, certificate: str) -> str:
    """A POSIX shell script for macOS; a launch agent sets the variable for programs with windows too."""
    host = site_url.removeprefix("https://")
    return f"""{_unix_head(host, fingerprint, certificate, "$HOME/Library/Application Support/dcor")}
security find-certificate -a -p /System/Library/Keychains/SystemRootCertificates.keychain >"$bundle.new"
{_UNIX_TAIL}
agent="$HOME/Library/LaunchAgents/org.dcor.ca-bundle.plist"
mkdir -p "$HOME/Library/LaunchAgents"
cat >"$agent" <<PLIST
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
  <key>Label</key><string>org.dcor.ca-bundle</string>
  <key>ProgramArguments</key><array><string>/bin/launchctl</string><string>setenv</string><string>REQUESTS_CA_BUNDLE</string><string>$bundle</string></array>
  <key>RunAtLoad</key><true/>
</dict></plist>
PLIST
launchctl setenv REQUESTS_CA_BUNDLE "$bundle"
grep -qs REQUESTS_CA_BUNDLE "$HOME/.zprofile" || echo "export REQUESTS_CA_BUNDLE='$bundle'" >>"$HOME/.zprofile"
echo "Done. Programs started from now on trust {host}."
"""


def _unix_head(host: str, fingerprint: str, certificate: str, folder: str) -> str:
    return f"""#!/bin/sh
# {_NOTE.format(host=host)}
# Run: sh FILE. Start the programs anew afterwards.
set -eu
folder="{folder}"
mkdir -p "$folder"
server="$folder/{_file(host)}.pem"
bundle="$folder/ca-bundle.pem"
cat >"$server" <<'CERTIFICATE'
{certificate.strip()}
CERTIFICATE
found=$(openssl x509 -in "$server" -noout -fingerprint -sha256 | sed 's/.*=//')
if [ "$found" != "{fingerprint}" ]; then
    echo "The fingerprint is $found, not the expected one. Ask your administrator." >&2
    exit 1
fi
: >"$bundle.new\""""


_UNIX_TAIL = """for certificate in "$folder"/*.pem; do
    [ "$certificate" = "$bundle" ] || cat "$certificate" >>"$bundle.new"
done
mv "$bundle.new" "$bundle\""""


def _file(host: str) -> str:
    return "".join(character if character.isalnum() or character in ".-" else "_" for character in host)
