# On a fresh machine that systemd has booted, without network: install, work, timers, a killed service, uninstall.
. /mnt/shared/functions.sh
# refuses WHAT TEXT COMMAND…: the command has to fail and say TEXT.
refuses() {
    what=$1 text=$2
    shift 2
    if "$@" >/tmp/refused 2>&1; then echo "FAIL: $what was accepted"; fi
    grep -q -- "$text" /tmp/refused || { echo "FAIL: $what: nothing says '$text'"; cat /tmp/refused; }
}
cert=/data/certificates/server.cert
echo "127.0.0.1 dcor.clinic.example" >>/etc/hosts

# An empty volume is mounted where the data shall lie.
mkdir /volume /data
mount --bind /volume /data
step install
mkdir /tmp/bundle
tar -xf /mnt/shared/bundle.tar -C /tmp/bundle --strip-components=1
/tmp/bundle/installer/install.sh --hostname dcor.clinic.example --email it@clinic.example --release-key /mnt/shared/release.pub --yes
step state
systemctl status --no-pager --lines=5 dcor.service
test "$(systemctl is-active dcor.service)" = active
for timer in backup scrub prune certificate reserve; do
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
mkdir -p /mnt/reserve
chown dcor /mnt/reserve
dcor config set reserve.folder /mnt/reserve
for unit in backup scrub prune certificate reserve; do
    systemctl start dcor-$unit.service || journalctl --no-pager -n 20 -u dcor-$unit.service
    test "$(systemctl show -P Result dcor-$unit.service)" = success
done
dcor backup verify --key /root/key-sheet.txt
dcor reserve status
step unmounted
systemctl stop dcor
umount /data
systemctl start dcor || true
refuses "the unmounted volume" "volume mounted" dcor inspect
refuses "a backup without the volume" "volume mounted" dcor backup create
test -z "$(ls -A /data)" || echo "FAIL: something was made in the mount point"
systemctl stop dcor # it is started again and again
mount --bind /volume /data
systemctl reset-failed dcor
systemctl start dcor
job check "$resource"
step lost-database
systemctl stop dcor
mv /data/dcor.sqlite /data/lost
systemctl start dcor || true
refuses "a lost database" "dcor.sqlite is missing" dcor inspect
test ! -e /data/dcor.sqlite || echo "FAIL: a new database was made"
systemctl stop dcor
mv /data/lost /data/dcor.sqlite
systemctl reset-failed dcor
systemctl start dcor
job check "$resource"
step found
systemctl stop dcor-prune.timer
refuses "a timer that is off" "dcor-prune.timer" dcor inspect
systemctl start dcor-prune.timer
program=$(ls /opt/dcor/0.2.0/lib/python3*/site-packages/appliance/service.py)
chmod 666 "$program"
refuses "a program file that everybody may write" "service.py" dcor inspect
chmod 644 "$program"
systemctl stop dcor
refuses "a service that does not run" "service" dcor inspect
systemctl start dcor
step bring-back
name=$(dcor dataset list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["name"])')
dcor dataset delete "$name" --yes
dcor trash restore dataset "$name"
job check "$resource"
dcor dataset purge "$name" --yes
dcor backup restore --dataset "$name" --key /root/key-sheet.txt
job check "$resource"
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
step killed-update
rm /etc/systemd/system/dcor-prune.timer
dcor update --bundle /mnt/shared/newer.tar --yes >/tmp/update 2>&1 &
update=$!
for _ in $(seq 1200); do
    if [ -e /data/rollback/journal.json ]; then break; fi
    sleep 0.1
done
test -e /data/rollback/journal.json
kill -9 $update || true
wait $update || true
systemctl reset-failed dcor
systemctl start dcor
for _ in $(seq 150); do
    if dcor status >/dev/null 2>&1; then break; fi
    sleep 0.2
done
test "$(systemctl is-active dcor.service)" = active
job check "$resource"
step update
dcor update --bundle /mnt/shared/newer.tar --yes
test -e /etc/systemd/system/dcor-prune.timer || echo "FAIL: the update brought no units"
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
dcor backup create
dcor backup create --database-only
systemctl stop dcor
cp -a /data/backups /backups
newest=$(dcor backup list --from /backups --json | python3 -c 'import json, sys; print([one["name"] for one in json.load(sys.stdin) if one["kind"] == "full"][0])')
older=$(dcor backup list --from /backups --json | python3 -c 'import json, sys; print([one["name"] for one in json.load(sys.stdin) if one["kind"] == "full"][1])')
for part in /backups/*/"$newest"/database.age; do chmod 600 "$part"; printf '?' >>"$part"; done
restore() { dcor backup restore --key /root/key-sheet.txt --from /backups --replace --yes "$@"; }
refuses "a damaged backup" "nothing was changed" restore
restore --backup "$older"
systemctl start dcor
job check "$resource"
step take-over
systemctl stop dcor
dcor reserve take-over --from /mnt/reserve --key /root/key-sheet.txt --replace --yes
test "$(systemctl is-active dcor.service)" = active
job check "$resource"
systemctl stop dcor
restore --backup "$older"
systemctl start dcor
job check "$resource"
step unsigned
refuses "an unsigned release" "sign" dcor update --bundle /mnt/shared/unsigned.tar --yes
test ! -e /opt/dcor/0.2.3
step network-disk
# The data root on a file system in user space, which counts as one of the network: the database has to lie elsewhere.
systemctl stop dcor
umount /data
bindfs /volume /data
systemctl start dcor || true
refuses "a database on a network disk" "depot.database_folder" dcor inspect
systemctl stop dcor
install -d -m 700 -o dcor /var/lib/dcor
dcor config set depot.database_folder /var/lib/dcor
dcor init
systemctl reset-failed dcor
systemctl start dcor
test -f /var/lib/dcor/dcor.sqlite
job check "$resource"
dcor backup create
systemctl start dcor-scrub.service dcor-backup.service
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
