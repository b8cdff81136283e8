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

# A class data archive saves about half of the JVM's start. It is made of what loading the
# server's configuration touches; the server runs without it, too.
archive_kafka_classes() {
    local dir=$cache_dir/kafka-$1
    java -XX:ArchiveClassesAtExit="$dir/classes.jsa" -XX:+UseSerialGC -Xlog:cds=off \
        -Xlog:cds+dynamic=off -cp "$dir/libs/*" kafka.tools.StorageTool random-uuid
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
