# relais test: builds, starts a fresh set of servers beside a running suite, and runs one ctest over
# the tests of C++ and Python.
# shellcheck shell=bash

ctest_dir=$root_dir/.relais/build/ctest

command_test() {
    local filter="" all=no word code=0 setup_options=()
    for word in "$@"; do
        case $word in
            --all) all=yes setup_options=(--all) ;;
            -*) die "unknown option $word" "./relais test [FILTER] [--all]" ;;
            *) filter=$word ;;
        esac
    done
    "$deploy_dir/setup" "${setup_options[@]}"
    mkdir -p "$ctest_dir"
    exec 7>"$ctest_dir/lock"
    flock -n 7 || die "another ./relais test runs in this clone" "wait for it, or use another clone"
    begin_tests test
    step_build dev
    if [[ $all == yes ]]; then
        step_build tsan
    fi
    write_ctest "$all" "$filter"
    trap end_tests EXIT
    prepare_chosen_servers
    if [[ $all == yes ]] && chosen functional; then
        # Not "test_second_kafka || …": there bash would ignore failing lines inside.
        set +e
        test_second_kafka
        code=$?
        set -e
    fi
    run_ctest "$all" || code=$?
    end_tests
    trap - EXIT
    if [[ $code -ne 0 ]]; then
        say "tests failed; logs of the servers and services: $log_dir"
    fi
    return $code
}

# begin_tests NAME: the environment of tests: same functions, other state folder and ports.
begin_tests() {
    local name=$1
    RELAIS_STATE=${RELAIS_TEST_STATE:-$state_dir/$name}
    # Tests know one configuration: that of the repository.
    # shellcheck disable=SC2046 # words
    unset $(service_settings)
    set_environment
    claim_state
    check_reachable
    # What an interrupted run left behind.
    delete_state
    choose_test_ports
    claim_state
    start_log "$log_dir/$name.log"
}

# RELAIS_TEST_PORT_BASE, or the first of a few ranges that nobody uses: another clone may be testing
# at this moment.
choose_test_ports() {
    local base
    for base in ${RELAIS_TEST_PORT_BASE:-9400 9600 9800 10000}; do
        RELAIS_PORT_BASE=$base
        set_environment
        # The lock is for two that choose at the same moment; it lives as long as the servers do.
        exec 8>"$cache_dir/ports-$base.lock"
        if flock -n 8 && [[ -z $(taken_ports) ]]; then
            return
        fi
        exec 8>&-
    done
    check_ports
}

end_tests() {
    if supervisor_pid >/dev/null; then
        stop_environment
    fi
}

# write_ctest ALL FILTER: the list of tests, and in chosen_labels what they need.
write_ctest() {
    local options=()
    if [[ $1 == yes ]]; then
        options=(--all)
    fi
    chosen_labels=$(/usr/bin/python3 "$deploy_dir/dev/ctest_list.py" --filter "$2" "${options[@]}" \
        --dev "$(preset_dir dev)" --tsan "$(preset_dir tsan)" --release "$build_dir" \
        --python "$(python_venv)/bin/python" "$ctest_dir") || exit 1
}

chosen() {
    grep -qx "$1" <<<"$chosen_labels"
}

# Only what the chosen tests need.
prepare_chosen_servers() {
    if chosen e2e || chosen release; then
        step_build_suite
    fi
    if chosen e2e || chosen functional; then
        start_servers
        if chosen e2e; then
            start_suite
        else
            step "sandbox and Prometheus" "see $log_dir" start_outside
        fi
    fi
}

# The functional tests against the other Kafka, which runs beside the first one.
test_second_kafka() (
    set -e
    local first=$state_dir
    RELAIS_STATE=$first/data/kafka-3.9.2 RELAIS_PORT_BASE=$((port_base + 100))
    RELAIS_KAFKA_VERSION=3.9.2
    test_variables
    set_environment
    claim_state
    make_state
    step "prepare Kafka 3.9.2" "see $log_dir" prepare_kafka
    step "supervisor" "see $log_dir" start_supervisor
    trap stop_supervisor EXIT
    step "Kafka 3.9.2 answers" "see $log_dir/kafka.log" start_second_kafka
    export RELAIS_TEST_KAFKA=127.0.0.1:$port_kafka
    sanitizer_options
    say "functional tests against Kafka 3.9.2"
    ctest --test-dir "$ctest_dir" -j "$(nproc)" --output-on-failure -L functional -E '^tsan '
)

start_second_kafka() {
    ctl start servers:kafka
    wait_until 90 "Kafka" kafka_ready
}

# For the tests and the processes they start.
sanitizer_options() {
    export UBSAN_OPTIONS=print_stacktrace=1
    # Libraries that are not instrumented hand memory over unseen; see also the file.
    TSAN_OPTIONS=ignore_noninstrumented_modules=1:suppressions=$root_dir/tests/support/tsan.supp
    LSAN_OPTIONS=suppressions=$root_dir/tests/support/lsan.supp:print_suppressions=0
    export TSAN_OPTIONS LSAN_OPTIONS
}

# run_ctest ALL
run_ctest() {
    export_environment
    if [[ $1 == yes ]]; then
        export RELAIS_TEST_LONG=1
    fi
    if [[ -s $secrets_dir/s3-secret-key ]]; then
        test_variables
    fi
    sanitizer_options
    export PYTHONDONTWRITEBYTECODE=1
    local repeat=()
    if [[ ${CI:-} == true ]]; then
        # A machine shared with others may stall a test that waits with a limit. Each try is shown.
        repeat=(--repeat until-pass:3)
    fi
    PYTHONPATH=$root_dir/tests/sandbox:$root_dir/tests/e2e \
        ctest --test-dir "$ctest_dir" -j "$(nproc)" --output-on-failure --no-tests=error \
        "${repeat[@]}" \
        --output-junit "$log_dir/tests.xml"
}
