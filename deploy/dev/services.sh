# Databases, topics, buckets and the five services of an environment.
# shellcheck shell=bash

relaisctl() {
    "$deploy_dir/dev/run" relaisctl "$@"
}

export_environment() {
    export RELAIS_STATE=$state_dir RELAIS_PORT_BASE=$port_base RELAIS_BUILD=$build_dir
    export RELAIS_KAFKA_VERSION=$kafka_version RELAIS_CACHE=$cache_dir
}

# Made once, and again when what they should be like changes.
prepare_buckets() {
    local sum made=$data_dir/ceph/.buckets-made
    program_variables upload
    sum=$({
        cat "$deploy_dir/objectstore/buckets.py"
        env | grep ^RELAIS_S3_ | sort
        object_events_url
    } | sha256sum)
    if [[ $(cat "$made" 2>/dev/null) == "$sum" ]]; then
        return
    fi
    "$(python_venv)/bin/python" "$deploy_dir/objectstore/buckets.py" \
        --event-url "$(object_events_url)"
    echo "$sum" >"$made"
}

render_prometheus() {
    local name
    cat <<END
# Written by relais up from deploy/dev/services.sh; changes are lost.
global:
  scrape_interval: 5s
  scrape_timeout: 4s
  evaluation_interval: 5s
rule_files:
  - $deploy_dir/prometheus/rules.yml
scrape_configs:
  - job_name: relais
    # A service that leaks labels loses its scrape, not the server its memory.
    sample_limit: 20000
    label_limit: 30
    label_value_length_limit: 500
    body_size_limit: 20MB
    static_configs:
END
    for name in "${services[@]}"; do
        cat <<END
      - targets: ['127.0.0.1:$(($(service_port "$name") + 1))']
        labels: {service: $name}
END
    done
}

prepare_prometheus() {
    render_prometheus >"$conf_dir/prometheus.yml"
    promtool check config "$conf_dir/prometheus.yml"
}

# What a service is: its programs and its configuration. A running one of another sum is restarted.
service_sum() {
    {
        stat -c '%n %i %s %y' "$build_dir/bin/relais-$1"*
        "$deploy_dir/dev/run" environment "$1"
    } | sha256sum
}

# All at once: each waits by itself for what it needs.
start_services() {
    local name sum status stale=() failed=0
    status=$(ctl status "services:*" || true)
    for name in "${services[@]}"; do
        [[ -x $build_dir/bin/relais-$name ]] || {
            echo "there is no $build_dir/bin/relais-$name"
            failed=1
            continue
        }
        sum=$(service_sum "$name")
        if grep -q "^services:$name *RUNNING" <<<"$status"; then
            if [[ $(cat "$run_dir/$name.sum" 2>/dev/null) == "$sum" ]]; then
                continue
            fi
            if [[ $name != gateway ]] || ! replace_gateway; then
                stale+=("services:$name")
            fi
        fi
        echo "$sum" >"$run_dir/$name.sum"
    done
    if [[ ${#stale[@]} -gt 0 ]]; then
        ctl stop "${stale[@]}"
    fi
    [[ $failed -eq 0 ]] && start_group services
}

# The gateway without refusing anybody; the others' clients wait for them.
restart_service() {
    if [[ $1 == gateway ]] && program_running services:gateway; then
        replace_gateway
    else
        ctl restart "services:$1"
    fi
    wait_until 60 "$1 to be ready ($(admin_url "$1")/readyz)" service_ready "$1"
}

# The one that runs gives its sockets to a second one and drains; supervisord, which keeps it running,
# starts it again, and it takes them back. If the second cannot start, the first goes on.
replace_gateway() {
    local before
    before=$(ctl pid services:gateway)
    ctl start gateway-between
    wait_until 320 "the end of gateway-between" between_is_over
    if [[ $(ctl pid services:gateway) == "$before" ]]; then
        echo "the new one did not get ready, the old one goes on; the new one's log ends with:"
        tail -n 15 "$log_dir/gateway-between.log"
        return 1
    fi
}

between_is_over() {
    ! ctl status gateway-between | grep -E 'RUNNING|STARTING|STOPPING'
}

service_ready() {
    curl -sS -f -m 2 "$(admin_url "$1")/readyz"
}

services_ready() {
    local name
    for name in "${services[@]}"; do
        wait_until 60 "$name to be ready ($(admin_url "$name")/readyz)" service_ready "$name" || {
            tail -n 10 "$log_dir/$name.log"
            return 1
        }
    done
}

sandbox_ready() {
    curl -sS -f -m 2 -o /dev/null "http://127.0.0.1:$port_sandbox/__sim/ports"
}

prometheus_ready() {
    curl -sS -f -m 2 -o /dev/null "http://127.0.0.1:$port_prometheus/-/ready"
}

start_outside() {
    save_service_settings
    prepare_prometheus
    start_group outside
    wait_until 30 "the sandbox" sandbox_ready
    wait_until 30 "Prometheus" prometheus_ready
}

start_suite() {
    local logs="see relais logs"
    export_environment
    step "sandbox and Prometheus" "$logs" start_outside
    step "roles and databases" "relais logs postgres" bootstrap_postgres
    step "migrations" "an applied migration that was edited must be put back as it was" \
        relaisctl migrate
    step "topics" "relais logs kafka" relaisctl topics apply
    step "buckets" "relais logs ceph-rgw" prepare_buckets
    step "start the services" "relais logs SERVICE" start_services
    step "services are ready" "relais logs SERVICE" services_ready
}
