# The Ceph Object Gateway of Debian, on a cluster of one monitor and one OSD in memory.
# Debian has 16; what it compares `If-Match` with was mended in 17.
version=16.2

install() {
    if ! radosgw --version >&2 || ! ceph-mon --version >&2 || ! ceph-osd --version >&2; then
        command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || lacks "radosgw, ceph-mon and ceph-osd"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            ceph-common ceph-mon ceph-osd radosgw >&2
    fi
    [[ "$(radosgw --version)" == *" $version."* ]] || lacks "Ceph $version, which Debian 12 has"
}

serve() {
    local dir="$2" port="$3" monitor name
    monitor=$(free_ports 1)
    cat >"$dir/ceph.conf" <<CONF
[global]
fsid = 6b6cf2c1-5b2c-4e5a-9d5c-0d6f6d1a7c10
mon host = v2:127.0.0.1:$monitor
public network = 127.0.0.0/8
public addr = 127.0.0.1
ms bind msgr1 = false
keyring = $dir/keyring
run dir = $dir/run
log file = $dir/\$name.log
admin socket = $dir/run/\$name.asok
pid file =
mon data = $dir/mon
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon osd max creating pgs = 1000
rgw frontends = beast endpoint=127.0.0.1:$port
CONF
    mkdir "$dir/run" "$dir/osd"
    export CEPH_CONF="$dir/ceph.conf"
    trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
    trap 'exit 0' TERM
    # The gateway takes no cluster without keys.
    ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
    for name in client.admin osd.0; do
        ceph-authtool "$dir/keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *'
    done
    monmaptool --create --addv a "[v2:127.0.0.1:$monitor]" --fsid 6b6cf2c1-5b2c-4e5a-9d5c-0d6f6d1a7c10 \
        "$dir/monmap" >/dev/null
    ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/keyring"
    ceph-mon -f -i a &
    ceph osd new 11111111-2222-3333-4444-555555555555 >/dev/null
    ceph-osd --mkfs -i 0 --osd-uuid 11111111-2222-3333-4444-555555555555
    ceph-osd -f -i 0 &
    radosgw-admin user create --uid test --display-name test \
        --access-key "$ACCESS_KEY" --secret-key "$SECRET_KEY" >/dev/null
    radosgw -f -n client.admin &
    wait
}
