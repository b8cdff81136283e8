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
    begin_tests
    step_build dev
    if [[ $all == yes ]]; then
        step_build tsan
    fi
    write_ctest "$all"
    choose_tests "$filter"
    trap end_tests EXIT
    prepare_chosen_servers
    if [[ $all == yes ]]; then
        # Not "test_second_kafka || …": there bash would ignore failing lines inside.
        set +e
        test_second_kafka
        code=$?
        set -e
    fi
    run_ctest "${ctest_selection[@]}" || code=$?
    end_tests
    trap - EXIT
    if [[ $code -ne 0 ]]; then
        say "tests failed; logs of the servers and services: $log_dir"
    fi
    return $code
}

# The tests' environment: same functions, other state folder and ports.
begin_tests() {
    RELAIS_STATE=${RELAIS_TEST_STATE:-$state_dir/test}
    RELAIS_PORT_BASE=${RELAIS_TEST_PORT_BASE:-9400}
    unset "${provider_variables[@]}"
    set_environment
    claim_state
    check_reachable
    # What an interrupted run left behind.
    delete_state
    claim_state
    start_log "$log_dir/test.log"
    check_ports
}

end_tests() {
    if supervisor_pid >/dev/null; then
        stop_environment
    fi
}

# ctest_add NAME LABEL SERIAL COMMAND…
ctest_add() {
    local name=$1 label=$2 serial=$3 word
    shift 3
    printf 'add_test([=[%s]=]' "$name"
    for word in "$@"; do
        printf ' [=[%s]=]' "$word"
    done
    printf ')\nset_tests_properties([=[%s]=] PROPERTIES LABELS %s TIMEOUT 1200' "$name" "$label"
    if [[ $serial == serial ]]; then
        printf ' RUN_SERIAL TRUE'
    fi
    printf ')\n'
}

# One list over both builds and the Python tests. e2e tests stop servers: nothing runs beside them.
write_ctest() {
    local python file release
    python=$(python_venv)/bin/python
    release=$(preset_dir release)
    mkdir -p "$ctest_dir"
    {
        printf 'subdirs([=[%s]=])\n' "$(preset_dir dev)"
        ctest_add "tidy: rules" tidy parallel "$python" "$root_dir/tests/tidy/rules.py"
        ctest_add "tidy: scripts" tidy parallel bash "$deploy_dir/dev/check_scripts"
        ctest_add "sandbox: contracts" sandbox parallel "$python" -m pytest -q -p no:cacheprovider \
            "$root_dir/tests/sandbox/tests"
        if [[ $1 == yes ]]; then
            printf 'subdirs([=[%s]=])\n' "$(preset_dir tsan)"
            ctest_add "tidy: clang-tidy" tidy parallel "$python" "$root_dir/tests/tidy/lint.py" \
                "$(preset_dir dev)" --all
        else
            ctest_add "tidy: clang-tidy on changes" tidy parallel "$python" \
                "$root_dir/tests/tidy/lint.py" "$(preset_dir dev)"
        fi
        ctest_add "tidy: hardening" release parallel "$python" "$root_dir/tests/tidy/hardening.py" \
            "$release/bin"
        for file in "$root_dir"/tests/e2e/test_*.py; do
            ctest_add "e2e: $(basename "$file" .py | sed 's/^test_//; s/_/ /g')" e2e serial \
                "$python" -m pytest -q -p no:cacheprovider "$file"
        done
    } >"$ctest_dir/CTestTestfile.cmake"
}

# choose_tests FILTER: sets ctest_selection and chosen_labels, by test name, else by label (the tags
# of the C++ tests are labels).
choose_tests() {
    ctest_selection=()
    if [[ -n $1 ]]; then
        ctest_selection=(-R "$1")
        if [[ $(count_tests -R "$1") -eq 0 ]]; then
            ctest_selection=(-L "$1")
        fi
        [[ $(count_tests "${ctest_selection[@]}") -gt 0 ]] || die "no test matches $1" \
            "ctest --test-dir $ctest_dir -N lists them"
    fi
    chosen_labels=$(ctest --test-dir "$ctest_dir" --show-only=json-v1 "${ctest_selection[@]}" \
        | /usr/bin/python3 -c 'import json, sys
for test in json.load(sys.stdin)["tests"]:
    for property in test.get("properties", []):
        if property["name"] == "LABELS":
            print(*property["value"], sep="\n")' | sort -u)
}

count_tests() {
    ctest --test-dir "$ctest_dir" -N "$@" | sed -n 's/^Total Tests: //p'
}

chosen() {
    grep -qx "$1" <<<"$chosen_labels"
}

# Only what the chosen tests need.
prepare_chosen_servers() {
    if chosen e2e || chosen release; then
        step_build release
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
    RELAIS_STATE=$first/kafka-3.9.2 RELAIS_PORT_BASE=$((port_base + 100)) RELAIS_KAFKA_VERSION=3.9.2
    test_variables
    set_environment
    claim_state
    make_state
    step "prepare Kafka 3.9.2" "see $log_dir" prepare_kafka
    step "supervisor" "see $log_dir" start_supervisor
    trap stop_supervisor EXIT
    step "Kafka 3.9.2 answers" "see $log_dir/kafka.log" start_second_kafka
    export RELAIS_TEST_KAFKA=127.0.0.1:$port_kafka
    say "functional tests against Kafka 3.9.2"
    ctest --test-dir "$ctest_dir" -j "$(nproc)" --output-on-failure --no-tests=error -L functional
)

start_second_kafka() {
    ctl start servers:kafka
    wait_until 90 "Kafka" kafka_ready
}

run_ctest() {
    export_environment
    if [[ -s $secrets_dir/s3-secret-key ]]; then
        test_variables
    fi
    export UBSAN_OPTIONS=print_stacktrace=1 PYTHONDONTWRITEBYTECODE=1
    PYTHONPATH=$root_dir/tests/sandbox:$root_dir/tests/e2e \
        ctest --test-dir "$ctest_dir" -j "$(nproc)" --output-on-failure --no-tests=error \
        --output-junit "$log_dir/tests.xml" "$@"
}
