# Debian's supervisord runs every program of an environment: its own instance, with its own socket.
# It starts nothing by itself; the order is in relais.
# shellcheck shell=bash

ctl() {
    supervisorctl -c "$conf_dir/supervisord.conf" "$@"
}

supervisor_pid() {
    local pid
    pid=$(cat "$run_dir/supervisord.pid" 2>/dev/null) || return 1
    [[ -n $pid ]] && grep -qaF "$conf_dir/supervisord.conf" "/proc/$pid/cmdline" 2>/dev/null \
        && echo "$pid"
}

supervisor_running() {
    supervisor_pid >/dev/null && ctl pid >/dev/null 2>&1
}

# program NAME STOP_SECONDS [LINE…]: one section; deploy/dev/run has what it executes, unless a line
# says otherwise. A program that cannot start is tried again for days, at growing intervals: a full
# disc or a missing server must not need somebody who starts it once more.
program() {
    local name=$1 stop_seconds=$2
    shift 2
    cat <<END

[program:$name]
END
    if [[ "$*" != *command=* ]]; then
        echo "command=$deploy_dir/dev/run $name"
    fi
    cat <<END
autostart=false
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs=$stop_seconds
redirect_stderr=true
stdout_logfile=$log_dir/$name.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
END
    if [[ $# -gt 0 ]]; then
        printf '%s\n' "$@"
    fi
}

# A gateway that serves only while services:gateway is started anew (see replace_gateway): it ends when
# that one has taken the sockets back.
gateway_between() {
    cat <<END

[program:gateway-between]
command=$deploy_dir/dev/run gateway
autostart=false
autorestart=false
startsecs=0
stopwaitsecs=150
redirect_stderr=true
stdout_logfile=$log_dir/gateway-between.log
stdout_logfile_maxbytes=20MB
stdout_logfile_backups=2
END
}

# "NAME STATE …" a line, without what is not meant to run at the moment.
program_states() {
    ctl status | grep -vE '^gateway-between +(STOPPED|EXITED)' || true
}

render_supervisor() {
    local variable name
    cat <<END
[supervisord]
logfile=$log_dir/supervisord.log
pidfile=$run_dir/supervisord.pid
childlogdir=$log_dir
directory=$state_dir
nodaemon=false
minfds=4096
END
    if [[ $(id -u) -eq 0 ]]; then
        echo "user=root"
    fi
    printf 'environment='
    for variable in RELAIS_STATE:state_dir RELAIS_PORT_BASE:port_base RELAIS_BUILD:build_dir \
        RELAIS_KAFKA_VERSION:kafka_version RELAIS_CACHE:cache_dir RELAIS_SUPERVISED:state_dir; do
        name=${variable#*:}
        printf '%s="%s",' "${variable%:*}" "${!name//%/%%}"
    done
    cat <<END


[unix_http_server]
file=$run_dir/supervisor.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://$run_dir/supervisor.sock
END
    # Not through run: its user may not be able to reach into the clone. INT is the fast shutdown: a
    # client that stays connected must not hold the database up.
    program postgres 60 "user=$postgres_user" stopsignal=INT "command=$postgres_bin/postgres \
-D $data_dir/postgres -c config_file=$conf_dir/postgresql.conf"
    program kafka 60
    program memcached 10
    # The daemons of the store do not always answer SIGTERM; their journals survive a kill.
    program ceph-mon 10
    program ceph-osd 20
    program ceph-rgw 10
    program sandbox 10
    program prometheus 30
    for name in "${services[@]}"; do
        # The gateway waits for uploads: RELAIS_DRAIN_UPLOADS_MAX_MS (120 s).
        if [[ $name == gateway ]]; then
            program "$name" 150
        else
            program "$name" 40
        fi
    done
    gateway_between
    echo
    echo "[group:servers]"
    echo "programs=postgres,kafka,memcached,ceph-mon"
    echo
    echo "[group:store]"
    echo "programs=ceph-osd,ceph-rgw"
    echo
    echo "[group:outside]"
    echo "programs=sandbox,prometheus"
    echo
    echo "[group:services]"
    printf 'programs=%s\n' "$(IFS=,; echo "${services[*]}")"
}

# Starts supervisord, or hands a running one its configuration. RELAIS_* of the caller (real
# providers' keys, for example) reach the programs through it.
start_supervisor() {
    render_supervisor >"$conf_dir/supervisord.conf.new"
    if supervisor_running; then
        if ! cmp -s "$conf_dir/supervisord.conf.new" "$conf_dir/supervisord.conf"; then
            mv "$conf_dir/supervisord.conf.new" "$conf_dir/supervisord.conf"
            ctl update
        fi
        return
    fi
    mv "$conf_dir/supervisord.conf.new" "$conf_dir/supervisord.conf"
    rm -f "$run_dir/supervisor.sock"
    close_files_and_run /usr/bin/supervisord -c "$conf_dir/supervisord.conf"
    wait_until 10 "supervisord" supervisor_running
}

# A daemon must not keep its caller's files open: one of them may be a lock.
close_files_and_run() (
    local file
    for file in /proc/"$BASHPID"/fd/*; do
        file=${file##*/}
        if [[ $file -gt 2 ]]; then
            eval "exec $file>&-"
        fi
    done
    exec "$@"
)

stop_supervisor() {
    local pid
    if pid=$(supervisor_pid); then
        ctl shutdown >/dev/null
        wait_until 120 "the end of supervisord" process_gone "$pid"
    fi
    stop_leftovers
}

# Programs that outlived their supervisor, known by a variable that only it sets.
leftovers() {
    grep -lzxF "RELAIS_SUPERVISED=$state_dir" /proc/[0-9]*/environ 2>/dev/null | cut -d / -f 3
}

stop_leftovers() {
    local pids
    mapfile -t pids < <(leftovers)
    if [[ ${#pids[@]} -eq 0 ]]; then
        return
    fi
    say "  ending ${#pids[@]} processes that outlived their supervisor"
    kill -INT "${pids[@]}" 2>/dev/null || true
    wait_until 20 "them to end" no_leftovers || kill -KILL "${pids[@]}" 2>/dev/null || true
}

no_leftovers() {
    [[ -z $(leftovers) ]]
}

process_gone() {
    ! kill -0 "$1" 2>/dev/null
}

program_running() {
    ctl status "$1" 2>/dev/null | grep RUNNING >/dev/null
}

# wait_until SECONDS WHAT COMMAND…: fails with a message when the command does not succeed in time.
wait_until() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [[ $SECONDS -ge $end ]]; then
            echo "waited in vain for $what; the last try said:"
            "$@"
            return 1
        fi
        sleep 0.1
    done
}
