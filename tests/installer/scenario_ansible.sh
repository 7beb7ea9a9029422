# On a machine that systemd has booted: the role installs from a bundle, changes a setting, changes nothing the second time, and updates.
. /mnt/shared/functions.sh
echo "127.0.0.1 dcor.clinic.example" >>/etc/hosts
export PYTHONPATH=/mnt/shared/ansible ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_NOCOLOR=1
mkdir /tmp/role
tar -xf "$(ls /mnt/shared/dcor-appliance-0.2.0-*.tar)" -C /tmp/role --strip-components=1
cp -R /tmp/role/installer/ansible /tmp/ansible
cat >/tmp/hosts <<EOH
dcor ansible_connection=local ansible_python_interpreter=/usr/bin/python3
EOH
play() { # play BUNDLE [MORE…]: the lines of the recap
    bundle=$1
    shift
    python3 -m ansible playbook -i /tmp/hosts /tmp/ansible/dcor.yml -e dcor_hostname=dcor.clinic.example -e "dcor_bundle=$bundle" \
        -e dcor_release_key=/mnt/shared/release.pub "$@"
}
step install
play "$(ls /mnt/shared/dcor-appliance-0.2.0-*.tar)" -e '{"dcor_settings": {"mail.server": "smtp.clinic.example"}}'
test "$(systemctl is-active dcor.service)" = active
test "$(dcor config show mail.server --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["mail.server"])')" = smtp.clinic.example
step again
play "$(ls /mnt/shared/dcor-appliance-0.2.0-*.tar)" -e '{"dcor_settings": {"mail.server": "smtp.clinic.example"}}' | tee /tmp/second
grep -q "changed=0" /tmp/second || echo "FAIL: the second time something was changed"
step update
play "$(ls /mnt/shared/dcor-appliance-0.2.1-*.tar)"
test "$(readlink /opt/dcor/current)" = 0.2.1
test "$(systemctl is-active dcor.service)" = active
step end
