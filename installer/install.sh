#!/bin/sh
# Install the DCOR appliance.
#
#   ./installer/install.sh --try [--data DIR] [--port N] [--hostname NAME] [--no-open]
#       Try it out as an ordinary user: everything stays in this folder, demonstration data included.
#       The same command starts it again; Ctrl-C stops it.
#
#   sudo ./installer/install.sh [--hostname FQDN] [--email ADDRESS] [--data DIR] [--bundle FILE] [--yes]
#       Install the service: system user, /opt/dcor, systemd units, certificate, first admin.
#
#   sudo ./installer/install.sh --uninstall [--yes]
#       Remove the service and its programs. The data root stays.
set -eu
caller=$PWD
cd "$(dirname "$0")/.."
. installer/lib/python.sh

usage() {
    sed -n '2,/^set -eu/s/^# \{0,1\}//p' installer/install.sh
}

mode=production
for argument in "$@"; do
    case $argument in
        --try) mode=try ;;
        --uninstall) mode=uninstall ;;
        -h | --help)
            usage
            exit 0
            ;;
    esac
done

if [ "$mode" = try ]; then
    . installer/lib/try.sh
else
    . installer/lib/production.sh
fi
