# On a fresh machine that systemd has booted, without network: install, work, timers, a killed service, uninstall.
. /mnt/shared/functions.sh
cert=/data/certificates/server.cert
echo "127.0.0.1 dcor.clinic.example" >>/etc/hosts

step install
mkdir /tmp/bundle
tar -xf /mnt/shared/bundle.tar -C /tmp/bundle --strip-components=1
/tmp/bundle/installer/install.sh --hostname dcor.clinic.example --email it@clinic.example --release-key /mnt/shared/release.pub --yes
step state
systemctl status --no-pager --lines=5 dcor.service
test "$(systemctl is-active dcor.service)" = active
for timer in backup scrub prune certificate; do
    test "$(systemctl is-active dcor-$timer.timer)" = active
    test "$(systemctl is-enabled dcor-$timer.timer)" = enabled
done
systemd-analyze security --no-pager dcor.service | tail -n 1
dcor inspect || echo "FAIL: inspect"
step main-job
dcor user add nurse --email nurse@clinic.example >/dev/null
dcor token create nurse >/tmp/token 2>/dev/null
job() { python3 /mnt/shared/main_job.py "$1" https://dcor.clinic.example $cert "$(cat /tmp/token)" /mnt/shared/sample.rtdc ${2:-}; }
resource=$(job upload)
job check "$resource"
step timers
dcor backup keys --out /root/key-sheet.txt
for unit in backup scrub prune certificate; do
    systemctl start dcor-$unit.service || journalctl --no-pager -n 20 -u dcor-$unit.service
    test "$(systemctl show -P Result dcor-$unit.service)" = success
done
dcor backup verify --key /root/key-sheet.txt
step killed
before=$(systemctl show -P MainPID dcor.service)
kill -9 "$before"
for _ in $(seq 150); do
    if dcor status >/dev/null 2>&1; then break; fi
    sleep 0.2
done
test "$(systemctl is-active dcor.service)" = active
test "$(systemctl show -P MainPID dcor.service)" != "$before"
job check "$resource"
step update
dcor update --bundle /mnt/shared/newer.tar --yes
test "$(readlink /opt/dcor/current)" = 0.2.1
test "$(systemctl is-active dcor.service)" = active
job check "$resource"
step failing-update
if dcor update --bundle /mnt/shared/broken.tar --yes; then echo "FAIL: broken release taken"; fi
test "$(readlink /opt/dcor/current)" = 0.2.1
test "$(systemctl is-active dcor.service)" = active
job check "$resource"
step rollback
dcor rollback --yes
test "$(readlink /opt/dcor/current)" = 0.2.0
job check "$resource"
step restore
systemctl stop dcor
dcor backup restore --key /root/key-sheet.txt --from /data/backups --replace --yes
systemctl start dcor
job check "$resource"
step stop
systemctl stop dcor
test "$(systemctl show -P Result dcor.service)" = success
step uninstall
/tmp/bundle/installer/install.sh --uninstall --yes
test ! -e /opt/dcor
test -f /data/dcor.sqlite
test "$(systemctl list-units --all --plain --no-legend 'dcor*.timer' | wc -l)" = 0
step end
