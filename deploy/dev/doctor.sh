# relais doctor: what could be wrong with this machine, and what to do about it.
# shellcheck shell=bash

memory_needed_mb=3000
disk_needed_mb=8000

# finding OK|BAD WHAT [WHAT TO DO]
finding() {
    if [[ $1 == OK ]]; then
        printf '  ok       %s\n' "$2"
    else
        printf '  PROBLEM  %s\n           → %s\n' "$2" "$3"
        problems=$((problems + 1))
    fi
}

command_doctor() {
    problems=0
    doctor_machine
    doctor_tools
    doctor_state
    doctor_suite
    if [[ $problems -gt 0 ]]; then
        say "$problems problem(s)"
        return 1
    fi
    say "no problem found"
}

free_mb() {
    df -Pm "$1" | awk 'NR == 2 {print $4}'
}

doctor_machine() {
    local system memory dir free
    system=$(system_name)
    if [[ $system == debian\ 1[23] ]]; then
        finding OK "$system, $(nproc) cores"
    else
        finding BAD "this is $system" "Relais is set up by deploy/setup on Debian 12 or 13"
    fi
    memory=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
    if [[ $memory -ge $memory_needed_mb ]]; then
        finding OK "$memory MB of memory available"
    else
        finding BAD "only $memory MB of memory available" \
            "end other programs: building wants $memory_needed_mb MB, running about 800 MB"
    fi
    for dir in "$root_dir" "$cache_dir"; do
        while [[ ! -d $dir ]]; do
            dir=$(dirname "$dir")
        done
        free=$(free_mb "$dir")
        if [[ $free -ge $disk_needed_mb ]]; then
            finding OK "$free MB free at $dir"
        else
            finding BAD "only $free MB free at $dir" "make room: $disk_needed_mb MB are wanted"
        fi
    done
}

doctor_tools() {
    local missing prefix
    missing=$("$deploy_dir/setup" --print-missing)
    if [[ -z $missing ]]; then
        finding OK "Debian packages are installed"
    else
        finding BAD "missing packages: $(tr '\n' ' ' <<<"$missing")" "deploy/setup as root"
    fi
    prefix=$("$deploy_dir/setup" --print-prefix)
    if [[ $prefix == /usr || -e $prefix/.complete ]]; then
        finding OK "libraries in $prefix"
    else
        finding BAD "the libraries are not built yet" "deploy/setup"
    fi
    if [[ -e $(python_venv)/.complete ]]; then
        finding OK "Python tools in $(python_venv)"
    else
        finding BAD "the Python tools are not installed yet" "deploy/setup"
    fi
    if [[ -e $cache_dir/kafka-$kafka_version/.complete ]]; then
        finding OK "Kafka $kafka_version"
    else
        finding BAD "Kafka $kafka_version is not there yet" "deploy/setup --kafka $kafka_version"
    fi
    if [[ -x $build_dir/bin/relais-gateway ]]; then
        finding OK "built: $("$build_dir/bin/relais-gateway" --version 2>&1 | head -n 1)"
    else
        finding BAD "the programs are not built yet" "./relais up"
    fi
}

doctor_state() {
    local dir=$state_dir
    while [[ ! -d $dir ]]; do
        dir=$(dirname "$dir")
    done
    if ! id "$postgres_user" >/dev/null 2>&1; then
        finding BAD "there is no user $postgres_user" \
            "deploy/setup installs PostgreSQL, which makes it"
    elif as_postgres test -x "$dir"; then
        finding OK "the user $postgres_user can reach $dir"
    else
        finding BAD "the user $postgres_user cannot reach $dir" \
            "clone to a folder others may enter, or set RELAIS_STATE to one"
    fi
    if [[ -w $dir ]]; then
        finding OK "$dir can be written"
    else
        finding BAD "$dir cannot be written by $(id -un)" "change its owner, or set RELAIS_STATE"
    fi
    local taken line
    taken=$(taken_ports)
    if [[ -z $taken ]]; then
        finding OK "ports $port_base-$((port_base + 99)) are free or ours"
    else
        while read -r line; do
            finding BAD "$line" "stop it, or set RELAIS_PORT_BASE"
        done <<<"$taken"
    fi
}

doctor_suite() {
    local name state rest
    if ! supervisor_running; then
        finding OK "the suite is not running (./relais up starts it)"
        return
    fi
    while read -r name state rest; do
        if [[ $state == RUNNING ]]; then
            finding OK "$name $state"
        else
            finding BAD "$name $state $rest" "./relais logs ${name#*:}, then ./relais up"
        fi
    done < <(program_states)
    for name in "${services[@]}"; do
        if service_ready "$name" >/dev/null 2>&1; then
            finding OK "$name is ready"
        else
            finding BAD "$name is not ready: $(curl -sS -m 2 "$(admin_url "$name")/readyz" 2>&1 \
                | head -c 300)" "./relais logs $name"
        fi
    done
}
