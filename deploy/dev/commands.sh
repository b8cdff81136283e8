# The commands of ./relais, except test and doctor.
# shellcheck shell=bash

command_up() {
    local begin
    begin=$(now_ms)
    say "relais up: state in $state_dir, ports $port_base-$((port_base + 99))"
    "$deploy_dir/setup"
    claim_state
    check_reachable
    supervisor_running || stop_leftovers
    check_ports
    start_log "$log_dir/up.log"
    step_build_suite
    start_servers
    start_suite
    say "up after $(seconds $(($(now_ms) - begin)))"
    print_places
}

print_places() {
    cat <<END

  API             http://127.0.0.1:$port_gateway
  sandbox         http://127.0.0.1:$port_sandbox   (mails, pushes, lists that "arrived")
  Prometheus      http://127.0.0.1:$port_prometheus/classic/graph
  object store    http://127.0.0.1:$port_s3
  PostgreSQL      127.0.0.1:$port_postgres   Kafka 127.0.0.1:$port_kafka
  logs            $log_dir   (./relais logs)

  A first call:
    curl -i http://127.0.0.1:$port_gateway/v1/accounts -H 'content-type: application/json' -d \\
      '{"email":"ann@example.org","display_name":"Ann","password":"correct horse battery",
        "locale":"nl","opt_ins":["newsletter"]}'
  Then look at the mail in the sandbox, or play the whole story: ./relais demo
END
}

command_down() {
    if ! supervisor_pid >/dev/null; then
        say "nothing runs in $state_dir"
        return
    fi
    start_log "$log_dir/down.log"
    stop_environment
}

# Services first: they finish what they have while the servers still answer. The S3 gateway hangs
# when its disk daemon ends before it.
stop_environment() {
    local log="see $log_dir/supervisord.log"
    step "stop the services" "$log" ctl stop "services:*"
    step "stop the servers" "$log" stop_servers
}

stop_servers() {
    ctl stop store:ceph-rgw
    stop_supervisor
}

command_reset() {
    if [[ ${1:-} != --yes ]]; then
        [[ -t 0 ]] || die "reset deletes $data_dir and needs a confirmation" "./relais reset --yes"
        read -r -p "Delete databases, topics, objects, secrets in $state_dir? [y/N] " answer
        [[ $answer == [yY]* ]] || die "nothing was deleted"
    fi
    [[ -e $state_dir/.relais-state ]] \
        || die "$state_dir holds no data of relais" "check RELAIS_STATE"
    delete_state
    say "deleted the data in $state_dir; builds and downloads stay"
}

# Everything but the builds. A folder that is not marked as ours is left alone.
delete_state() {
    if [[ ! -e $state_dir/.relais-state ]]; then
        return
    fi
    stop_supervisor
    rm -rf "$data_dir" "$conf_dir" "$log_dir" "$secrets_dir" "$run_dir" "$state_dir/.relais-state"
}

# restart SERVICE…: as they are built.
command_restart() {
    local name
    [[ $# -gt 0 ]] || die "no service is named" "./relais restart SERVICE…: of ${services[*]}"
    for name in "$@"; do
        [[ " ${services[*]} " == *" $name "* ]] \
            || die "\"$name\" is no service" "./relais restart SERVICE…: of ${services[*]}"
    done
    supervisor_running || die "nothing runs in $state_dir" "./relais up"
    start_log "$log_dir/restart.log"
    for name in "$@"; do
        step "restart $name" "relais logs $name" restart_service "$name"
    done
}

command_status() {
    local name state pid rest port where ready memory
    if ! supervisor_running; then
        say "nothing runs in $state_dir; start it with ./relais up"
        return 3
    fi
    printf '%-20s %-9s %-8s %-22s %-6s %s\n' program state pid address ready memory
    while read -r name state _ pid rest; do
        name=${name#*:}
        pid=${pid%,}
        where=- ready=- memory=-
        if [[ $state == RUNNING ]]; then
            memory="$(awk '/^VmRSS/ {printf "%d MB", $2 / 1024}' "/proc/$pid/status" 2>/dev/null)"
        else
            pid=-
        fi
        if [[ " ${services[*]} " == *" $name "* ]]; then
            where=127.0.0.1:$(service_port "$name")
            if service_ready "$name" >/dev/null 2>&1; then ready=yes; else ready=no; fi
        fi
        printf '%-20s %-9s %-8s %-22s %-6s %s\n' "$name" "$state" "$pid" "$where" "$ready" "$memory"
    done < <(program_states)
}

command_logs() {
    local follow=() files=() name
    for name in "$@"; do
        if [[ $name == -f ]]; then
            follow=(-F)
        elif [[ -e $log_dir/$name.log ]]; then
            files+=("$log_dir/$name.log")
        else
            die "there is no log of $name" \
                "one of: $(find "$log_dir" -name '*.log' -printf '%f ' | sed 's/\.log//g')"
        fi
    done
    if [[ ${#files[@]} -eq 0 ]]; then
        for name in "${services[@]}"; do
            files+=("$log_dir/$name.log")
        done
    fi
    exec tail -n 40 "${follow[@]}" "${files[@]}"
}

# With --base the suite may be one that was not started here (docker compose up): then there are no
# logs to read, and whoever runs it makes the marketing key; an own --ctl or --marketing-key wins.
command_demo() {
    local options=(
        --base "http://127.0.0.1:$port_gateway" --sandbox "http://127.0.0.1:$port_sandbox"
        --prometheus "http://127.0.0.1:$port_prometheus" --logs "$log_dir"
        --ctl "$deploy_dir/dev/run relaisctl"
    )
    if [[ " $*" == *" --base"* ]]; then
        if ! { supervisor_running && [[ "$*" == *"127.0.0.1:$port_gateway"* ]]; }; then
            options=(--ctl "docker compose run --rm --no-deps -T relaisctl")
        fi
    elif [[ "$*" != *--help* ]]; then
        supervisor_running || die "the suite does not run in $state_dir" \
            "./relais up, or name another suite: ./relais demo --base URL --sandbox URL"
    fi
    export_environment
    exec python3 tests/e2e/story.py "${options[@]}" "$@"
}

# chaos [ROW] [--seed N] [--kills N] [--mode M] [--json]: the faults of tests/chaos, on a fresh suite that is
# nobody's. With --json only its answer goes to the standard output.
command_chaos() {
    if [[ ${1:-} == gateway ]]; then
        shift
        chaos_gateway "$@"
        return
    fi
    local code=0 python
    python=$(python_venv)/bin/python
    check_chaos_words "$@"
    exec 3>&1
    if [[ " $* " == *" --json "* ]]; then
        exec 1>&2
    fi
    "$deploy_dir/setup"
    mkdir -p "$root_dir/.relais/build"
    exec 7>"$root_dir/.relais/build/chaos.lock"
    flock -n 7 || die "another ./relais chaos runs in this clone" "wait for it"
    begin_tests chaos
    step_build_suite
    trap end_tests EXIT
    start_servers
    start_suite
    export_environment
    test_variables
    PYTHONDONTWRITEBYTECODE=1 "$python" tests/chaos/chaos.py "$@" >&3 || code=$?
    end_tests
    trap - EXIT
    if [[ $code -ne 0 ]]; then
        say "something did not hold; logs of the servers and services: $log_dir"
    fi
    return $code
}

# chaos gateway [ROW] [--seconds N] [--json]: the gateway alone, before origins of its own.
chaos_gateway() {
    PYTHONPATH=tests/chaos/gateway PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -c 'import gateway_chaos; gateway_chaos.parse()' "$@" || exit $?
    exec 3>&1
    if [[ " $* " == *" --json "* ]]; then
        exec 1>&2
    fi
    "$deploy_dir/setup"
    start_log "$log_dir/chaos-gateway.log"
    if [[ $build_dir == "$(preset_dir release)" ]]; then
        step "build (the gateway)" "read the compiler's message in the log" \
            build_preset release --target bin/relais-gateway
    fi
    RELAIS_TEST_BUILD=$build_dir PYTHONDONTWRITEBYTECODE=1 \
        "$(python_venv)/bin/python" tests/chaos/gateway/gateway_chaos.py "$@" >&3
}

# Wrong usage is said before anything is started.
check_chaos_words() {
    PYTHONPATH=tests/chaos PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -c 'import chaos; chaos.parse()' "$@" || exit $?
}
