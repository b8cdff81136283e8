# relais bench: tests/bench/NAME.py measures the running suite; the backbone needs the servers only, and
# starts its own when nothing runs.
# shellcheck shell=bash

benches=(gateway api clicktomail startup)

# bench [NAME…] [--json], bench backbone [ROW…] [--json]
command_bench() {
    if [[ ${1:-} == backbone ]]; then
        shift
        bench_backbone "$@"
        return
    fi
    local names=() options=() word
    for word in "$@"; do
        if [[ $word == --* ]]; then
            options+=("$word")
        elif [[ " ${benches[*]} " == *" $word "* ]]; then
            names+=("$word")
        else
            die "there is no bench $word" "one of: ${benches[*]} backbone"
        fi
    done
    if [[ ${#names[@]} -eq 0 ]]; then
        names=("${benches[@]}")
    fi
    supervisor_running || die "the suite does not run" "./relais up"
    export_environment
    test_variables
    for word in "${names[@]}"; do
        "$(python_venv)/bin/python" "tests/bench/$word.py" "${options[@]}"
    done
}

# With --json only the answer goes to the standard output.
bench_backbone() {
    local code=0
    PYTHONPATH=tests/bench PYTHONDONTWRITEBYTECODE=1 \
        /usr/bin/python3 -c 'import backbone; backbone.parse()' "$@" || exit $?
    exec 3>&1
    if [[ " $* " == *" --json "* ]]; then
        exec 1>&2
    fi
    "$deploy_dir/setup" --bench
    if supervisor_running; then
        start_log "$log_dir/bench.log"
        step_build_suite
        run_bench_backbone "$@" >&3
        return
    fi
    mkdir -p "$root_dir/.relais/build"
    exec 7>"$root_dir/.relais/build/bench.lock"
    flock -n 7 || die "another ./relais bench runs in this clone" "wait for it"
    begin_tests bench
    step_build_suite
    trap stop_supervisor EXIT
    step "PostgreSQL and Kafka" "see $log_dir" start_bench_servers
    run_bench_backbone "$@" >&3 || code=$?
    stop_supervisor
    trap - EXIT
    return $code
}

start_bench_servers() {
    export RELAIS_MEASURED=yes # deploy/dev/run
    make_state
    prepare_postgres
    prepare_kafka
    start_supervisor
    ctl start servers:postgres servers:kafka
    wait_until 60 "PostgreSQL" postgres_ready
    wait_until 90 "Kafka" kafka_ready
}

run_bench_backbone() {
    export_environment
    test_variables
    PYTHONDONTWRITEBYTECODE=1 "$(python_venv)/bin/python" tests/bench/backbone.py "$@"
}
