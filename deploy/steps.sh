# How setup and relais report: one line a step with its duration; a failure says which step, why,
# and what to do. Sourced, never run.
# shellcheck shell=bash

# system_name: "debian 12"
system_name() (
    if [[ -r /etc/os-release ]]; then
        # shellcheck disable=SC1091
        source /etc/os-release
    fi
    echo "${ID:-unknown} ${VERSION_ID:-}"
)

# Milliseconds since the epoch, without starting a process.
now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo $((now / 1000))
}

# seconds MS: "12.3 s"
seconds() {
    printf '%d.%d s' $(($1 / 1000)) $(($1 % 1000 / 100))
}

say() {
    printf '%s\n' "$*"
}

# die MESSAGE [WHAT TO DO]: ends the command with exit code 1.
die() {
    printf '\nerror: %s\n' "$1" >&2
    if [[ $# -gt 1 ]]; then
        printf '  what to do: %s\n' "$2" >&2
    fi
    exit 1
}

# start_log FILE: where the output of the steps goes. The previous log is kept as FILE.1.
start_log() {
    step_log=$1
    mkdir -p "$(dirname "$step_log")"
    if [[ -e $step_log ]]; then
        mv -f "$step_log" "$step_log.1"
    fi
    : >"$step_log"
}

# step NAME HINT COMMAND…: runs the command with its output in the log. HINT says what to do when it
# fails. The command runs in a subshell with -e, so any failing line in it is the step's failure.
step() {
    local name=$1 hint=$2 begin code took
    shift 2
    printf '  %-44s ' "$name"
    begin=$(now_ms)
    printf '\n=== %s: %s\n' "$(date '+%F %T')" "$name" >>"$step_log"
    set +e
    (
        set -e
        "$@"
    ) >>"$step_log" 2>&1
    code=$?
    set -e
    took=$(seconds $(($(now_ms) - begin)))
    if [[ $code -ne 0 ]]; then
        step_failed "$name" "$hint" "$code" "$took"
    fi
    printf '%9s\n' "$took"
}

step_failed() {
    printf 'FAILED after %s (exit code %s)\n\nThe step "%s" failed. The end of its output:\n' \
        "$4" "$3" "$1" >&2
    # Only this step's lines.
    tac "$step_log" | sed '/^=== /q' | tac | tail -n 25 | sed 's/^/    /' >&2
    printf '\n  what to do: %s\n  whole log:  %s\n' "$2" "$step_log" >&2
    exit 1
}
