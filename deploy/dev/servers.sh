# The servers of an environment, in the order in which they need each other.
# shellcheck shell=bash

# Marks the state folder as ours, so that reset never deletes anything else.
claim_state() {
    local mark=$state_dir/.relais-state others
    if [[ -e $mark ]]; then
        return
    fi
    mkdir -p "$state_dir"
    others=$(find "$state_dir" -mindepth 1 -maxdepth 1 ! -name build ! -name test \
        ! -name chaos ! -name bench -printf '%f ')
    if [[ -n $others ]]; then
        die "$state_dir holds files that relais did not make: $(cut -d ' ' -f 1-4 <<<"$others") …" \
            "set RELAIS_STATE to a new or an empty folder"
    fi
    echo "Made by relais; relais reset deletes the data in this folder." >"$mark"
}

make_state() {
    mkdir -p "$data_dir" "$conf_dir" "$log_dir" "$run_dir" "$data_dir/sandbox"
    make_secrets
}

prepare_servers() {
    prepare_postgres
    prepare_kafka
    prepare_ceph
}

# start_group GROUP: starts what of it does not run. A program that cannot stay up is an error here.
start_group() {
    local name status failed=0
    status=$(ctl status "$1:*" || true)
    if ! grep -qv RUNNING <<<"$status"; then
        return
    fi
    ctl start "$1:*" || true
    for name in $(ctl status "$1:*" | awk '$2 != "RUNNING" {print $1}'); do
        failed=1
        echo "$name does not stay up; its log ends with:"
        tail -n 15 "$log_dir/${name#*:}.log"
    done
    return $failed
}

start_store() {
    if [[ -e $data_dir/ceph/.user-made ]] && program_running store:ceph-rgw && s3_ready; then
        return
    fi
    wait_until 60 "the store's monitor" ceph_mon_ready
    prepare_ceph_osd
    start_group_member store:ceph-osd
    wait_until 60 "the store's disk daemon" ceph_osd_ready
    start_group_member store:ceph-rgw
    wait_until 90 "the S3 port" s3_ready
    prepare_s3_user
}

start_group_member() {
    program_running "$1" || ctl start "$1"
}

start_servers() {
    local hint="see relais logs, and relais doctor for ports, disk and memory"
    step "state folder and secrets" "check that $state_dir can be written" make_state
    step "prepare PostgreSQL, Kafka, object store" "$hint" prepare_servers
    step "supervisor" "see $log_dir/supervisord.log" start_supervisor
    step "start PostgreSQL, Kafka, memcached" "$hint" start_group servers
    step "PostgreSQL answers" "relais logs postgres" wait_until 60 "PostgreSQL" postgres_ready
    step "object store answers" "relais logs ceph-rgw" start_store
    step "Kafka answers" "relais logs kafka" wait_until 90 "Kafka" kafka_ready
}
