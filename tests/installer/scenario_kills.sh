# On a machine that systemd has booted: install, then kill real updates, rollbacks, backups, restores and installations.
. /mnt/shared/functions.sh
cert=/data/certificates/server.cert
echo "127.0.0.1 dcor.clinic.example" >>/etc/hosts
step install
mkdir /tmp/bundle
tar -xf /mnt/shared/bundle.tar -C /tmp/bundle --strip-components=1
/tmp/bundle/installer/install.sh --hostname dcor.clinic.example --email it@clinic.example --release-key /mnt/shared/release.pub --yes
dcor user add nurse --email nurse@clinic.example >/dev/null
dcor token create nurse >/tmp/token 2>/dev/null
python3 /mnt/shared/main_job.py upload https://dcor.clinic.example $cert "$(cat /tmp/token)" /mnt/shared/sample.rtdc >/tmp/resource
dcor backup keys --out /root/key-sheet.txt
step kills
python3 /mnt/shared/killed_releases.py "$(cat /mnt/shared/kills.json)" | tee /mnt/shared/kills.jsonl
step end
