# On another fresh machine without network: restore, check, update, a failing update, rollback.
. /mnt/shared/functions.sh
echo "127.0.0.1 dcor.clinic.example" >>/etc/hosts
step install
mkdir /tmp/bundle
tar -xf /mnt/shared/bundle.tar -C /tmp/bundle --strip-components=1
/tmp/bundle/installer/install.sh --hostname dcor.clinic.example --email it@clinic.example --release-key /mnt/shared/release.pub --yes >/tmp/installed
step restore
dcor backup restore --from /mnt/shared/backups --key /mnt/shared/key-sheet.txt --replace --yes
step serve
serve
job() { python3 /mnt/shared/main_job.py check https://dcor.clinic.example /data/certificates/server.cert "$(cat /mnt/shared/token)" /mnt/shared/sample.rtdc "$(cat /mnt/shared/resource)"; }
job
dcor inspect
stop
step unsigned
if dcor update --bundle /mnt/shared/unsigned.tar --yes; then echo "FAIL: unsigned"; fi
step update
dcor update --bundle /mnt/shared/newer.tar --yes
test "$(readlink /opt/dcor/current)" = 0.1.1
serve
test "$(dcor --version | sed 's/.* //')" = 0.1.1
job
stop
step failing-update
if dcor update --bundle /mnt/shared/broken.tar --yes; then echo "FAIL: broken release taken"; fi
test "$(readlink /opt/dcor/current)" = 0.1.1
step after-failing-update
serve
job
stop
step rollback
dcor rollback --yes
test "$(readlink /opt/dcor/current)" = 0.1.0
serve
job
dcor inspect
stop
step end
