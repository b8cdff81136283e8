# An S3 store: Ceph's RADOS gateway on one monitor and one disk daemon, keeping objects in a sparse
# file under the state folder. deploy/docker/store runs the same in a container, where s3_host is
# every address.
# shellcheck shell=bash

# Debian 13's default is relative to the working directory.
rados_classes() {
    compgen -G "/usr/lib/*/rados-classes" | head -n 1
}

render_ceph() {
    cat <<END
# Written by relais up; changes are lost.
[global]
fsid = $1
mon host = [v1:127.0.0.1:$port_ceph_mon]
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
run dir = $run_dir/ceph
admin socket = $run_dir/ceph/\$name.asok
pid file =
log file =
log to stderr = true
err to stderr = true
debug rocksdb = 0
debug bluestore = 0
debug bluefs = 0
debug bdev = 0
debug osd = 0
debug ms = 0
crash dir = $data_dir/ceph/crash
mon data = $data_dir/ceph/mon
mon data avail crit = 1
mon data avail warn = 2
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
osd data = $data_dir/ceph/osd
osd journal =
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class update on start = false
osd class dir = $(rados_classes)
osd crush update on start = false
osd objectstore = bluestore
bluestore block size = 17179869184
bluestore cache autotune = false
bluestore cache size = 67108864
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
ms bind port min = $port_ceph_osd
ms bind port max = $((port_ceph_osd + 9))

[client.rgw]
keyring = /dev/null
rgw data = $data_dir/ceph/rgw
rgw frontends = beast endpoint=${s3_host:-127.0.0.1}:$port_s3
rgw lifecycle work time = 00:00-24:00
END
}

ceph_() {
    ceph -c "$conf_dir/ceph.conf" --connect-timeout 10 "$@"
}

# Before the monitor's first start: its map and its store.
prepare_ceph() {
    local dir=$data_dir/ceph fsid
    mkdir -p "$dir/osd" "$dir/rgw" "$dir/crash" "$run_dir/ceph"
    if [[ ! -s $dir/fsid ]]; then
        cat /proc/sys/kernel/random/uuid >"$dir/fsid"
    fi
    fsid=$(cat "$dir/fsid")
    render_ceph "$fsid" >"$conf_dir/ceph.conf"
    if [[ -e $dir/.mon-made ]]; then
        return
    fi
    rm -rf "$dir/mon" "$dir/monmap"
    monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$port_ceph_mon]" "$dir/monmap"
    ceph-mon -c "$conf_dir/ceph.conf" --mkfs -i a --monmap "$dir/monmap"
    touch "$dir/.mon-made"
}

ceph_mon_ready() {
    ceph_ mon stat
}

# Once the monitor answers: the disk daemon's identity and file, made once.
prepare_ceph_osd() {
    local dir=$data_dir/ceph uuid
    if [[ -e $dir/.osd-made ]]; then
        return
    fi
    if [[ ! -s $dir/osd-uuid ]]; then
        cat /proc/sys/kernel/random/uuid >"$dir/osd-uuid"
    fi
    uuid=$(cat "$dir/osd-uuid")
    rm -rf "$dir/osd"
    mkdir -p "$dir/osd"
    # The monitor may answer before it knows its commands; both may be repeated.
    wait_until 30 "the disk daemon's number" ceph_ osd new "$uuid" 0
    wait_until 30 "its place in the map" ceph_ osd crush add osd.0 1.0 root=default host=local
    ceph-osd -c "$conf_dir/ceph.conf" -i 0 --mkfs --osd-uuid "$uuid"
    touch "$dir/.osd-made"
}

ceph_osd_ready() {
    ceph_ osd stat | grep '1 up' >/dev/null
}

prepare_s3_user() {
    if [[ -e $data_dir/ceph/.user-made ]]; then
        return
    fi
    radosgw-admin -c "$conf_dir/ceph.conf" -n client.rgw user create --uid=relais \
        --display-name=relais --access-key="$(secret s3-access-key)" \
        --secret="$(secret s3-secret-key)" >/dev/null
    touch "$data_dir/ceph/.user-made"
}

s3_ready() {
    curl -sS -o /dev/null -m 5 "http://127.0.0.1:$port_s3/"
}
