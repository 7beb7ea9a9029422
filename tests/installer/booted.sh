#!/bin/sh
# booted.sh TREE STATE SHARED SCRIPT: boot a copy of the system in TREE with its own systemd, run SCRIPT there, switch it off.
#
# The copy has no network; STATE keeps what it changes, SHARED appears as /mnt/shared. Prints what SCRIPT said; ends with its
# exit code, after SECONDS_AT_MOST (1300) at the latest. Made of systemd-nspawn and an overlay; nothing of this machine is touched.
set -eu
export SECONDS_AT_MOST="${SECONDS_AT_MOST:-1300}"
mkdir -p "$2/upper/etc/systemd/system/multi-user.target.wants" "$2/work" "$2/root"
cp "$4" "$2/upper/script"
cat >"$2/upper/etc/systemd/system/scenario.service" <<EOU
[Unit]
After=basic.target dbus.service
[Service]
Type=oneshot
TimeoutStartSec=$SECONDS_AT_MOST
Environment=LANG=C.UTF-8 HOME=/root
StandardOutput=append:/mnt/shared/said
StandardError=inherit
ExecStart=/bin/sh -c 'sh -eu /script && systemctl exit 0 || systemctl exit 7'
EOU
ln -sf ../scenario.service "$2/upper/etc/systemd/system/multi-user.target.wants/scenario.service"
: >"$3/said"
code=0
unshare --mount --kill-child sh -eu -c '
    mount -t tmpfs tmpfs /run
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
    # Systems of today want version 2 of the control groups.
    if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
        umount -l /sys/fs/cgroup
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
    fi
    # Not under the filter of system calls for containers: it refuses Landlock, which a machine has.
    export SYSTEMD_SECCOMP=0
    # A control group of its own: two machines at once must not share those of their services.
    group=/sys/fs/cgroup/booted.$$
    mkdir "$group"
    echo $$ >"$group/cgroup.procs"
    code=0
    timeout $((SECONDS_AT_MOST + 100)) systemd-nspawn --directory="$2/root" --boot --register=no --keep-unit --private-network --console=read-only \
        --bind="$3:/mnt/shared" --bind=/dev/fuse --machine=fresh --hostname=fresh || code=$?
    echo $$ >/sys/fs/cgroup/cgroup.procs
    find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    exit "$code"
' sh "$1" "$2" "$3" >"$2/console" 2>&1 || code=$?
cat "$3/said"
exit "$code"
