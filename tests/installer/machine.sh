#!/bin/sh
# machine.sh STATE SHARED SCRIPT [PATH…]: run SCRIPT (a file) as root on a fresh copy of this machine that has no network.
#
# STATE keeps what the copy changes (so it can be "switched on" again); SHARED appears as /mnt/shared, like a second disk.
# Its /tmp is its own; each PATH in this machine's /tmp is there nevertheless, to be read.
# Made of name spaces and an overlay; nothing of this machine is touched.
set -eu
mkdir -p "$1/upper" "$1/work" "$1/root"
exec unshare --mount --net --pid --ipc --uts --fork --kill-child sh -eu -c '
    state=$1 shared=$2 script=$3
    shift 3
    mount -t overlay overlay -o "lowerdir=/,upperdir=$state/upper,workdir=$state/work" "$state/root"
    cd "$state/root"
    mount -t proc proc proc
    mount -t tmpfs tmpfs tmp
    mount -t tmpfs tmpfs run
    mount -t tmpfs tmpfs dev/shm 2>/dev/null || { mkdir -p dev && mount --rbind /dev dev; }
    [ -e dev/null ] && [ -c dev/null ] || mount --rbind /dev dev
    mkdir -p mnt/shared && mount --bind "$shared" mnt/shared
    cp "$script" tmp/script
    for path in "$@"; do
        case $path in
            /tmp/*)
                mkdir -p ".$path"
                mount --bind "$path" ".$path"
                mount -o remount,bind,ro ".$path"
                ;;
        esac
    done
    hostname fresh
    exec chroot . env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root-of-nobody \
        sh -euc "ip link set lo up 2>/dev/null || true; exec sh -eu /tmp/script"
' sh "$@"
