# On a fresh machine without network: install from the bundle, do the main job, back up, burn.
step() { echo "STEP $(date +%s) $*"; }
serve() { # the service as systemd would start it, and wait until it answers
    setpriv --reuid dcor --regid dcor --clear-groups --inh-caps +net_bind_service --ambient-caps +net_bind_service \
        /usr/local/bin/dcor serve >/tmp/serve.log 2>&1 &
    service=$!
    for _ in $(seq 150); do
        if dcor status >/tmp/status; then return 0; fi
        sleep 0.2
    done
    cat /tmp/serve.log /tmp/status
    exit 1
}
stop() { kill "$service" && wait "$service" || true; }
cert=/data/certificates/server.cert
echo "127.0.0.1 dcor.clinic.example" >>/etc/hosts

step install
# A new volume, empty and root's, mounted where the data will be.
mkdir /data
mount -t tmpfs -o mode=755 tmpfs /data
mkdir -m 700 /data/lost+found
mkdir /tmp/bundle
tar -xf /mnt/shared/bundle.tar -C /tmp/bundle --strip-components=1
if /tmp/bundle/installer/install.sh --hostname Dcor.clinic.example --yes; then echo "FAIL: capital letters"; fi
if /tmp/bundle/installer/install.sh --hostname dcor --yes; then echo "FAIL: no dot"; fi
if /tmp/bundle/installer/install.sh --hostname dcor.clinic.example:8443 --yes; then echo "FAIL: port"; fi
test "$(ls /data)" = lost+found
# The preflight: a taken port, somebody's files; nothing is changed by either.
python3 -c 'import socket, time; s = socket.create_server(("", 443)); print("ready", flush=True); time.sleep(600)' >/tmp/taken &
taken=$!
until [ -s /tmp/taken ]; do sleep 0.1; done
if /tmp/bundle/installer/install.sh --hostname dcor.clinic.example --yes 2>/tmp/refused; then echo "FAIL: taken port"; fi
grep -q "Port 443 is taken by another program" /tmp/refused
kill "$taken"
touch /data/precious
if /tmp/bundle/installer/install.sh --hostname dcor.clinic.example --yes 2>/tmp/refused; then echo "FAIL: somebody's files"; fi
grep -q "holds something else (precious)" /tmp/refused
rm /data/precious
test ! -e /opt/dcor
/tmp/bundle/installer/install.sh --hostname dcor.clinic.example --email it@clinic.example --release-key /mnt/shared/release.pub --yes | tee /tmp/installed
grep -q "^https://dcor.clinic.example/" /tmp/installed
step again
/tmp/bundle/installer/install.sh --yes >/tmp/again
grep -q "is installed in /opt/dcor" /tmp/again
step other-python
mv /opt/dcor/0.2.0/lib/python3.* /opt/dcor/0.2.0/lib/python3.0
/tmp/bundle/installer/install.sh --release-key /mnt/shared/release.pub --yes >/tmp/again
dcor --version
step modes
test "$(stat -c %U:%a /data)" = dcor:750
test "$(stat -c %U:%a /data/secrets)" = dcor:700
test -z "$(find /data ! -user dcor ! -name lost+found)"
grep -q "\"path\": \"/data\"" /etc/dcor/data-root.json
test -z "$(find /opt/dcor -perm /022 ! -type l)"
test -f /etc/systemd/system/dcor.service
runuser -u nobody -- sh -c 'ls /data 2>/dev/null' && echo "FAIL: others may look" || true

step serve
serve
dcor user add nurse --email nurse@clinic.example >/dev/null
dcor token create nurse >/tmp/token 2>/dev/null
python3 - <<'EOP'
import ssl, urllib.request
try:
    urllib.request.urlopen("https://dcor.clinic.example/api/3/action/status_show", timeout=10)
except OSError as error:
    print("refused without the certificate:", type(error).__name__)
EOP
step main-job
python3 /mnt/shared/main_job.py upload https://dcor.clinic.example $cert "$(cat /tmp/token)" /mnt/shared/sample.rtdc >/mnt/shared/resource
python3 /mnt/shared/main_job.py check https://dcor.clinic.example $cert "$(cat /tmp/token)" /mnt/shared/sample.rtdc "$(cat /mnt/shared/resource)"
dcor access create nurse --out /tmp/nurse.dcor-access >/dev/null 2>/tmp/passphrase
test -s /tmp/nurse.dcor-access
step backup
mkdir -p /mnt/shared/backups
chown dcor /mnt/shared/backups
dcor config set backup.folder /mnt/shared/backups
dcor backup keys --out /mnt/shared/key-sheet.txt
dcor backup create
dcor backup verify --key /mnt/shared/key-sheet.txt
step inspect
dcor inspect
cp /tmp/token /mnt/shared/token
stop
step uninstall
/tmp/bundle/installer/install.sh --uninstall --yes
test ! -e /opt/dcor
test -f /data/dcor.sqlite
step burn
# Without its volume, the mount point gets no new site, neither from a repair nor from a command.
umount /data
if /tmp/bundle/installer/install.sh --yes 2>/tmp/refused; then echo "FAIL: a new site in the mount point"; fi
grep -q "Is its volume mounted" /tmp/refused
test -z "$(ls /data)"
rmdir /data
step end
