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
step contract
# Every file of the tests of real clients (dcoraid, dclab, ckanapi) against a machine as it comes out of the backup, with
# the settings of a clinic or, where the file needs it, of an open site.
. /mnt/shared/checkout # $python, $top, $contract
open_path() { # let other accounts come by
    way=$1
    while [ "$way" != / ]; do
        chmod o+x "$way" 2>/dev/null || true
        way=$(dirname "$way")
    done
}
open_path "$(readlink -f "$python")"
open_path "$(dirname "$python")"
open_path "$top"
install -d -o dcor /tmp/home /mnt/shared/contract
for file in $contract; do
    dcor backup restore --from /mnt/shared/backups --key /mnt/shared/key-sheet.txt --replace --yes >/dev/null
    if grep -qE 'World\(|on_443' "$top/tests/contract/$file.py"; then
        dcor config set policy.anonymous_access true
        dcor config set depot.direct_upload true
    fi
    serve
    (cd "$top" && setpriv --reuid dcor --regid dcor --clear-groups env HOME=/tmp/home DCOR_TEST_INSTALLED=/data PYTHONDONTWRITEBYTECODE=1 \
        "$python" -m pytest -q -rs -m 'not soak' -p no:cacheprovider "tests/contract/$file.py" --basetemp "/tmp/home/$file" \
        --junitxml "/mnt/shared/contract/$file.xml") || test $? = 5 || echo "FAIL: $file" # 5: all of its tests are soak
    stop
done
dcor backup restore --from /mnt/shared/backups --key /mnt/shared/key-sheet.txt --replace --yes >/dev/null
step unsigned
if dcor update --bundle /mnt/shared/unsigned.tar --yes; then echo "FAIL: unsigned"; fi
step update
dcor update --bundle /mnt/shared/newer.tar --yes
test "$(readlink /opt/dcor/current)" = 0.2.1
serve
test "$(dcor --version | sed 's/.* //')" = 0.2.1
job
stop
step failing-update
if dcor update --bundle /mnt/shared/broken.tar --yes; then echo "FAIL: broken release taken"; fi
test "$(readlink /opt/dcor/current)" = 0.2.1
step after-failing-update
serve
job
stop
step rollback
dcor rollback --yes
test "$(readlink /opt/dcor/current)" = 0.2.0
serve
job
dcor inspect
stop
step end
