# The production installation: system user, /opt/dcor/<version>, data root, units, certificate, first admin.
# shellcheck shell=sh disable=SC2154
# Sourced by install.sh with its arguments in "$@"; $caller is the folder the caller stands in, $mode production or uninstall.
# Running it again repairs or updates the installation and changes nothing else.

prefix=/opt/dcor
data=/data
hostname=
email=
admin="admin"
bundle=
yes=
force=
units=/etc/systemd/system
release_key=

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s\n' "$*" >&2
    exit 1
}
absolute() {
    case $1 in
        /*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "$caller/$1" ;;
    esac
}

while [ $# -gt 0 ]; do
    case $1 in
        --uninstall) ;;
        --yes | -y) yes=1 ;;
        --force) force=1 ;;
        --hostname | --email | --admin | --data | --bundle | --release-key)
            [ $# -ge 2 ] || { echo "$1 needs a value." >&2 && exit 2; }
            case $1 in
                --hostname) hostname=$2 ;;
                --email) email=$2 ;;
                --admin) admin=$2 ;;
                --data) data=$(absolute "$2") ;;
                --bundle) bundle=$(absolute "$2") ;;
                --release-key) release_key=$(absolute "$2") ;;
            esac
            shift
            ;;
        *)
            echo "Unknown option: $1" >&2
            usage >&2
            exit 2
            ;;
    esac
    shift
done

[ "$(id -u)" = 0 ] || fail "Run this with sudo. To try DCOR out without: ./installer/install.sh --try"

systemd_runs() { [ -d /run/systemd/system ]; }

ask() { # ask QUESTION DEFAULT: the answer on stdout
    if [ -n "$yes" ] || [ ! -t 0 ]; then
        printf '%s\n' "$2"
        return
    fi
    printf '%s%s: ' "$1" "${2:+ [$2]}" >&2
    read -r answer
    printf '%s\n' "${answer:-$2}"
}

uninstall() {
    if [ -z "$yes" ]; then
        answer=$(ask "Remove the service and its programs? The data in $data stays. (yes/no)" no)
        [ "$answer" = yes ] || fail "Nothing was removed. (--yes removes without asking.)"
    fi
    if systemd_runs; then
        systemctl disable --now dcor.service dcor-backup.timer dcor-scrub.timer dcor-prune.timer dcor-certificate.timer dcor-reserve.timer 2>/dev/null || true
    fi
    rm -rf "$units"/dcor.service.d "$units"/dcor-.service.d
    rm -f "$units"/dcor.service "$units"/dcor-*.service "$units"/dcor-*.timer /etc/systemd/journald.conf.d/60-dcor.conf \
        /etc/sysusers.d/dcor.conf /etc/tmpfiles.d/dcor.conf /usr/local/bin/dcor \
        /usr/local/share/bash-completion/completions/dcor /usr/local/share/zsh/site-functions/_dcor /usr/local/share/fish/vendor_completions.d/dcor.fish
    rm -rf "$prefix"
    systemd_runs && systemctl daemon-reload
    say "Removed. The data root, what this machine knows of it (/etc/dcor) and the account 'dcor' are still there; installing again takes the data up as it is."
}

# Which systems this is made for, and what the others should know.
check_system() {
    [ -r /etc/os-release ] || return 0
    system=$(. /etc/os-release && echo "${ID:-}:${VERSION_ID:-}")
    case $system in
        debian:12 | debian:13 | ubuntu:24.04) ;;
        ubuntu:22.04) say "Ubuntu 22.04 brings Python 3.10; python3.11 is in its \"universe\" (apt-get install python3.11 python3.11-venv)." ;;
        *) say "Made for Debian 12/13 and Ubuntu 22.04/24.04; this is $system. Going on." ;;
    esac
}

# Refuse names that clients cannot use, with the reason; the rules are the program's own.
check_hostname() {
    "$python" -B -c '
import sys
from appliance.tls.names import hostname_problems
problems = hostname_problems(sys.argv[1])
sys.stderr.write("".join(f"{line}\n" for line in problems))
sys.exit(bool(problems))' "$1"
}

# Unpack a bundle next to the installation and go on from there.
open_bundle() {
    [ -f "$bundle" ] || fail "There is no file $bundle."
    unpacked=$(mktemp -d "${TMPDIR:-/tmp}/dcor-bundle.XXXXXX")
    trap 'rm -rf "$unpacked"' EXIT
    # Looked at before anything of it is written as root.
    if tar -tvf "$bundle" | grep -v '^[-d]' >&2; then
        fail "$bundle holds something that is neither a file nor a folder, and is not used."
    fi
    tar -xf "$bundle" -C "$unpacked" --strip-components=1 --no-same-owner || fail "$bundle is not a bundle of this program."
    cd "$unpacked" || exit 1
}

install_program() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' appliance/__init__.py)
    target=$prefix/$version
    # One whose Python went away, with an upgrade of the whole system, is installed anew.
    if [ -f "$target/.complete" ] && [ -z "$force" ] && "$target/bin/python" -I -B -c 'import appliance.cli' 2>/dev/null; then
        say "[2/6] Release $version is installed in $target."
    else
        say "[2/6] Installing release $version into $target …"
        rm -f "$target/.complete" # first: half a release is none
        rm -rf "$target"
        mkdir -p "$prefix"
        if [ -d wheelhouse ]; then
            . installer/lib/offline.sh
            # Once a key is known, every later bundle must be signed by it.
            [ -n "$release_key" ] || [ ! -f "$prefix/release.pub" ] || release_key=$prefix/release.pub
            check_bundle . "$release_key" || exit 1
            install_offline "$python" "$target" . || exit 1
        else
            install_into "$target" "$python" installer/requirements.txt . || exit 1
        fi
        mkdir -p "$target/share"
        cp -R systemd installer "$target/share/"
        [ -z "$release_key" ] || [ "$release_key" = "$prefix/release.pub" ] || install -m 644 "$release_key" "$prefix/release.pub"
        chown -R root:root "$target"
        chmod -R u+rwX,go+rX,go-w "$target"
        touch "$target/.complete"
    fi
    if [ ! -e "$prefix/current" ]; then # none, or a link to a release that is gone
        ln -sfn "$version" "$prefix/current"
    elif [ "$(readlink "$prefix/current")" != "$version" ]; then
        # An update with its backup, health gate and way back is the program's own business.
        say "      $(readlink "$prefix/current") is in use. Switch with: dcor update --to $version"
    fi
}

install_account() {
    if ! getent passwd dcor >/dev/null; then
        say "[3/6] Making the system account 'dcor' …"
        if command -v systemd-sysusers >/dev/null 2>&1; then
            mkdir -p /etc/sysusers.d
            install -m 644 systemd/sysusers.conf /etc/sysusers.d/dcor.conf
            systemd-sysusers /etc/sysusers.d/dcor.conf
        else
            useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --comment "DCOR appliance" dcor
        fi
    else
        say "[3/6] The account 'dcor' is there."
    fi
    # A mount point or not, new or from another machine: the service's account owns the data root and what lies in it.
    if [ ! -d "$data" ] || [ ! -e "$data/dcor.toml" ]; then
        install -d -m 750 -o dcor -g dcor "$data"
    elif [ "$(stat -c %U "$data/dcor.toml")" != dcor ] || [ "$(stat -c %U "$data")" != dcor ]; then
        say "      $data is of UID $(stat -c %u "$data/dcor.toml"), as on another machine; giving it to dcor …"
        chown -R --no-dereference dcor:dcor "$data"
    fi
}

as_dcor() {
    if command -v runuser >/dev/null 2>&1; then
        runuser -u dcor -- env -i PATH=/usr/bin:/bin LANG=C.UTF-8 DCOR_DATA="$data" "$@"
    else
        su -s /bin/sh dcor -c 'exec env -i PATH=/usr/bin:/bin LANG=C.UTF-8 "$@"' -- sh DCOR_DATA="$data" "$@"
    fi
}

install_data() {
    if [ -e "$data/dcor.toml" ] || [ -e "$data/.dcor-root" ] || [ -e "$data/.restoring" ]; then
        say "[4/6] The data root $data is there; bringing it up to date …"
        as_dcor "$prefix/current/bin/dcor" init
    else
        say "[4/6] Making the data root $data for https://$hostname …"
        as_dcor "$prefix/current/bin/dcor" init --hostname "$hostname" --admin "$admin" --email "$email" >"$prefix/.first-admin" ||
            { cat "$prefix/.first-admin" && exit 1; }
        chmod 600 "$prefix/.first-admin"
    fi
    # Noted outside as well, so that an empty mount point or another volume is known for what it is.
    "$prefix/current/bin/dcor" --data "$data" init --adopt >/dev/null
}

install_units() {
    say "[5/6] Installing the service, its timers and the shell's completion …"
    install -d "$units" "$units/dcor-.service.d" /etc/systemd/journald.conf.d /etc/tmpfiles.d
    install -m 644 systemd/dcor.service systemd/dcor-*.service systemd/dcor-*.timer "$units/"
    install -m 644 systemd/dcor-.service.d/50-sandbox.conf "$units/dcor-.service.d/"
    install -m 644 systemd/journald.conf /etc/systemd/journald.conf.d/60-dcor.conf
    sed "s|^d /data |d $data |" systemd/tmpfiles.conf >/etc/tmpfiles.d/dcor.conf
    if [ "$data" != /data ]; then
        for folder in dcor.service.d dcor-.service.d; do
            install -d "$units/$folder"
            printf '%s\n' "[Unit]" "RequiresMountsFor=$data" "[Service]" "Environment=DCOR_DATA=$data" "ReadWritePaths=" "ReadWritePaths=$data" \
                "NoExecPaths=" "NoExecPaths=$data" "WorkingDirectory=$data" >"$units/$folder/60-data.conf"
        done
    fi
    install -d /usr/local/bin
    cat >/usr/local/bin/dcor <<EOW
#!/bin/sh
export DCOR_DATA="\${DCOR_DATA:-$data}"
[ -x $prefix/current/bin/dcor ] || { echo "The release in use ($prefix/current) is not there. Install it again: sudo ./installer/install.sh" >&2; exit 1; }
exec $prefix/current/bin/dcor "\$@"
EOW
    chmod 755 /usr/local/bin/dcor
    install -d /usr/local/share/bash-completion/completions /usr/local/share/zsh/site-functions /usr/local/share/fish/vendor_completions.d
    "$prefix/current/bin/dcor" completion bash >/usr/local/share/bash-completion/completions/dcor
    "$prefix/current/bin/dcor" completion zsh >/usr/local/share/zsh/site-functions/_dcor
    "$prefix/current/bin/dcor" completion fish >/usr/local/share/fish/vendor_completions.d/dcor.fish
}

start_service() {
    if ! systemd_runs; then
        say "[6/6] systemd is not running here. Start the service by hand: runuser -u dcor -- $prefix/current/bin/dcor --data $data serve"
        return
    fi
    say "[6/6] Starting the service …"
    systemctl daemon-reload
    systemctl try-restart systemd-journald.service || true
    systemctl enable --quiet dcor.service dcor-backup.timer dcor-scrub.timer dcor-prune.timer dcor-certificate.timer dcor-reserve.timer
    systemctl reset-failed dcor.service 2>/dev/null || true
    systemctl restart dcor.service || fail "The service did not start. Its last words: journalctl -u dcor -n 30"
    systemctl start dcor-backup.timer dcor-scrub.timer dcor-prune.timer dcor-certificate.timer dcor-reserve.timer
    /usr/local/bin/dcor status >/dev/null || fail "The service does not answer: journalctl -u dcor -n 30; dcor inspect"
}

finish() {
    say ""
    say "DCOR is installed."
    if [ -f "$prefix/.first-admin" ]; then
        sed -n '/^First sign-in/,$p' "$prefix/.first-admin"
        rm -f "$prefix/.first-admin"
        say "Next: set up encrypted backups with 'dcor backup keys', give a user an access file with 'dcor access create USER --out FILE'."
        say "Recommended: automatic security updates of the system (apt-get install unattended-upgrades apt-listchanges)."
    fi
    say "Check at any time: dcor inspect"
}

if [ "$mode" = uninstall ]; then
    uninstall
    exit 0
fi

check_system
[ -z "$bundle" ] || open_bundle
python=$(find_python "$([ -d wheelhouse ] && echo offline)") || exit 1
if [ ! -f "$data/dcor.toml" ]; then
    # A machine that had a data root knows its name, also while the volume with it is not mounted.
    [ -n "$hostname" ] || [ ! -f /etc/dcor/data-root.json ] ||
        hostname=$(sed -n 's/^ *"hostname": "\(.*\)",$/\1/p' /etc/dcor/data-root.json)
    [ -n "$hostname" ] || hostname=$(ask "Host name under which clients reach this server" "$(hostname -f 2>/dev/null || true)")
    check_hostname "$hostname" || exit 2
    [ -n "$email" ] || email=$(ask "E-mail address of the first admin" "admin@$hostname")
fi
say "[1/6] Looking at this machine; nothing is changed yet …"
"$python" -I -B installer/preflight.py --data "$data" --prefix "$prefix" ${hostname:+--hostname "$hostname"} ||
    fail "Nothing was changed. Deal with what is called PROBLEM, then say the same command again."
install_program
install_account
install_data
install_units
start_service
finish
