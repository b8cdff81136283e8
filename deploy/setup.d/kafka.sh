# Kafka from its Maven artifacts: every file is checked against deploy/kafka/kafka-<version>.sha256.
# shellcheck shell=bash

kafka_default_version=4.3.1
kafka_second_version=3.9.2

fetch_kafka() {
    local version=$1 dir=$cache_dir/kafka-$1
    rm -rf "$dir"
    mkdir -p "$dir/libs"
    mvn -q -B -f "$deploy_dir/kafka/pom.xml" "-Dkafka.version=$version" \
        "-Dmaven.repo.local=$cache_dir/maven" dependency:copy-dependencies \
        "-DoutputDirectory=$dir/libs" -DincludeScope=runtime
    check_kafka "$version"
    archive_kafka_classes "$version"
    touch "$dir/.complete"
}

# The files must be exactly those of the list: none changed, none missing, none added.
check_kafka() {
    local list=$deploy_dir/kafka/kafka-$1.sha256
    cd "$cache_dir/kafka-$1/libs" || return
    sha256sum --quiet --strict --check "$list"
    diff <(awk '{print $2}' "$list" | sort) <(printf '%s\n' *.jar | sort)
}

# A class data archive halves the server's start (2.1 s to 1.1 s on two cores). It is written when a
# server that ran once ends, so one runs here, on free ports, with nothing in it.
archive_kafka_classes() {
    local version=$1 dir=$cache_dir/kafka-$1 work ports pid
    work=$(mktemp -d)
    mapfile -t ports < <(/usr/bin/python3 -c 'import socket
held = [socket.socket() for _ in range(2)]
for one in held:
    one.bind(("127.0.0.1", 0))
    print(one.getsockname()[1])')
    (
        # shellcheck source=deploy/dev/kafka.sh
        source "$deploy_dir/dev/kafka.sh"
        port_kafka=${ports[0]} port_kafka_controller=${ports[1]} data_dir=$work
        kafka_version=$version render_kafka
    ) >"$work/kafka.properties"
    java -cp "$dir/libs/*" kafka.tools.StorageTool format "--cluster-id=$(openssl rand 16 \
        | openssl base64 | tr '+/' '-_' | tr -d '=')" -c "$work/kafka.properties" >/dev/null
    java -XX:ArchiveClassesAtExit="$dir/classes.jsa" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Xms128m -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Xlog:cds=off \
        -Xlog:cds+dynamic=off -cp "$dir/libs/*" kafka.Kafka "$work/kafka.properties" &
    pid=$!
    until kcat -b "127.0.0.1:${ports[0]}" -L -m 1 2>/dev/null | grep "broker 1 at" >/dev/null; do
        kill -0 "$pid"
        sleep 0.1
    done
    kill "$pid"
    # 143: ended by the signal.
    wait "$pid" || [[ $? -eq 143 ]]
    rm -rf "$work"
}

# setup_kafka VERSION
setup_kafka() {
    local version=$1
    if [[ -e $cache_dir/kafka-$version/.complete ]]; then
        return
    fi
    [[ -e $deploy_dir/kafka/kafka-$version.sha256 ]] \
        || die "no checksum list for Kafka $version" \
            "known versions: $kafka_default_version, $kafka_second_version"
    step "Kafka $version" \
        "check that Maven can download artifacts; a checksum that differs means a changed file" \
        fetch_kafka "$version"
}
