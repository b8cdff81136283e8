# Who listens where, so that a taken port is named before anything fails on it.
# shellcheck shell=bash

# Every port of an environment: number, what listens there, its program in the supervisor.
all_ports() {
    local name port
    for name in "${services[@]}"; do
        port=$(service_port "$name")
        echo "$port $name services:$name"
        echo "$((port + 1)) $name(admin) services:$name"
    done
    for port in 0 1 2 3 4 5 6; do
        echo "$((port_sandbox + port)) sandbox outside:sandbox"
    done
    echo "$port_postgres PostgreSQL servers:postgres"
    echo "$port_kafka Kafka servers:kafka"
    echo "$port_kafka_controller Kafka(controller) servers:kafka"
    echo "$port_memcached memcached servers:memcached"
    echo "$port_s3 S3 store:ceph-rgw"
    echo "$port_ceph_mon Ceph(monitor) servers:ceph-mon"
    for port in 0 1 2 3; do
        echo "$((port_ceph_osd + port)) Ceph(disk) store:ceph-osd"
    done
    echo "$port_prometheus Prometheus outside:prometheus"
}

# listener PORT: "name (process id)" of who listens there; nothing when nobody does.
listener() {
    ss -ltnpH "sport = :$1" | sed -nE 's/.*users:\(\("([^"]*)",pid=([0-9]+).*/\1 (process \2)/p;
        t; s/.*/another user'"'"'s process/p' | head -n 1
}

# Prints one line per port that somebody else holds. Our own programs' ports are no problem.
taken_ports() {
    local port what program who running listening
    running=$(ctl status 2>/dev/null | awk '$2 != "STOPPED" && $2 != "EXITED" {print $1}' || true)
    listening=$(ss -ltnH | awk '{sub(/.*:/, "", $4); print $4}')
    while read -r port what program; do
        if grep -qx "$port" <<<"$listening" && ! grep -qx "$program" <<<"$running"; then
            who=$(listener "$port")
            echo "port $port ($what) is taken by ${who:-a process}"
        fi
    done < <(all_ports)
}

check_ports() {
    local taken count
    taken=$(taken_ports)
    if [[ -n $taken ]]; then
        count=$(wc -l <<<"$taken")
        if [[ $count -gt 5 ]]; then
            taken="$(head -n 4 <<<"$taken")"$'\n'"and $((count - 4)) more: another environment runs here"
        fi
        die "$taken" \
            "stop it, or set RELAIS_PORT_BASE (now $port_base) to a range of 100 free ports"
    fi
}
