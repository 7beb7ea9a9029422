#!/bin/sh
# builder.sh TREE WORK CHECKOUT OUT: make a bundle of CHECKOUT on a copy of the system in TREE, which has this machine's network.
#
# WORK keeps what the copy changes. OUT gets the bundle, signed with the release.pem in it, and Ansible (ansible/).
set -eu
mkdir -p "$2/upper" "$2/work" "$2/root"
exec unshare --mount --kill-child sh -eu -c '
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
    cd "$2/root"
    mount -t proc proc proc
    mount --rbind /dev dev
    mount -t tmpfs tmpfs tmp
    mkdir -p mnt/checkout mnt/out
    mount --bind -o ro "$3" mnt/checkout
    mount --bind "$4" mnt/out
    # The way to the packages, as this machine has it. (What lies there may be a link that leads out of the tree.)
    mkdir -p etc/ssl/certs
    for file in etc/resolv.conf etc/hosts etc/pip.conf etc/ssl/certs/ca-certificates.crt; do
        [ ! -e "/$file" ] || cp -L --remove-destination "/$file" "$file"
    done
    exec chroot . /bin/sh -euc "
        export DEBIAN_FRONTEND=noninteractive HOME=/root
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends python3-venv python3-pip >/dev/null
        mkdir /tmp/source
        tar -C /mnt/checkout --exclude=.git --exclude=.venv --exclude=.venv-test --exclude=.try -cf - . | tar -C /tmp/source -xf -
        /tmp/source/installer/bundle.sh --out /mnt/out --key /mnt/out/release.pem
        python3 -m pip install --quiet --disable-pip-version-check --no-cache-dir --target /mnt/out/ansible 'ansible-core>=2.17'
    "
' sh "$1" "$2" "$3" "$4"
