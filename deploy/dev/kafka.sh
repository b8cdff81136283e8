# Kafka as one KRaft node, from the Maven artifacts that deploy/setup fetched.
# shellcheck shell=bash

render_kafka() {
    cat <<END
# Written by relais up; changes are lost.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$port_kafka_controller
listeners=PLAINTEXT://127.0.0.1:$port_kafka,CONTROLLER://127.0.0.1:$port_kafka_controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port_kafka
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs=$data_dir/kafka
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
END
    if [[ $kafka_version != 3.* ]]; then
        echo "share.coordinator.state.topic.replication.factor=1"
        echo "share.coordinator.state.topic.min.isr=1"
    fi
}

prepare_kafka() {
    local id
    render_kafka >"$conf_dir/kafka.properties"
    if [[ -e $data_dir/kafka/meta.properties ]]; then
        return
    fi
    mkdir -p "$data_dir/kafka"
    id=$(openssl rand 16 | base64url)
    java -Xshare:auto -XX:TieredStopAtLevel=1 -cp "$cache_dir/kafka-$kafka_version/libs/*" \
        kafka.tools.StorageTool format "--cluster-id=$id" -c "$conf_dir/kafka.properties"
}

# Ready when a client gets metadata.
kafka_ready() {
    kcat -b "127.0.0.1:$port_kafka" -L -m 2 2>/dev/null | grep "broker 1 at" >/dev/null
}
