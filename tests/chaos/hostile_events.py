"""Records that no service of ours would write, and what must become of each."""

import datetime
import uuid

import confluent_kafka

GARBAGE = b"\xff\xff\xff not protobuf \x00\xfe"
# Brokers take 1 MiB and a little for each record.
LARGEST = 1_000_000
TOO_LARGE = 2_000_000


class Record:
    """becomes: what kafka_consumer_processed_total calls it; reason: of its dead letter."""

    def __init__(self, name, value, headers, becomes, reason=None):
        self.name = name
        self.value = value
        self.headers = headers
        self.becomes = becomes
        self.reason = reason
        self.partition = self.offset = None


def envelope(type_name, producer, **changes):
    """CloudEvents headers as ours are; a change to None leaves one out."""
    now = datetime.datetime.now(datetime.timezone.utc)
    fields = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid.uuid4()),
        "ce_type": type_name,
        "ce_source": f"relais/{producer}",
        "ce_time": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "content-type": "application/protobuf",
        **changes,
    }
    return [(name, value) for name, value in fields.items() if value is not None]


def hostile_records(type_name, producer, snapshots):
    """snapshots: whether the topic is one where a null value means something."""

    def known(**changes):
        return envelope(type_name, producer, **changes)

    made = [
        Record("undecodable", GARBAGE, known(), "dead_letter", "undecodable-payload"),
        Record("no envelope", GARBAGE, [], "dead_letter", "bad-envelope"),
        Record("empty, no envelope", b"", [], "dead_letter", "bad-envelope"),
        Record("null, no envelope", None, [], "dead_letter", "bad-envelope"),
        Record("no id", GARBAGE, known(ce_id="7"), "dead_letter", "bad-envelope"),
        Record("odd header", GARBAGE, [("odd", b"\xfe\x00")], "dead_letter", "bad-envelope"),
        Record("oversized", b"\xff" * LARGEST, known(), "dead_letter", "undecodable-payload"),
        Record("empty", b"", known(), "dead_letter"),
        Record("unknown", b"x", known(ce_type="relais.never.v1.HeardOf"), "unknown_type"),
    ]
    if not snapshots:
        made.append(Record("null", None, known(), "dead_letter", "unexpected-tombstone"))
    return made


class Producer:
    """Writes to Kafka past our services, into the partitions that they would use."""

    def __init__(self, brokers):
        self._made = confluent_kafka.Producer(
            {
                "bootstrap.servers": brokers,
                "partitioner": "murmur2_random",
                "message.max.bytes": 2 * TOO_LARGE,
                "log_level": 2,
            }
        )

    def partitions(self, topic):
        return sorted(self._made.list_topics(topic, timeout=10).topics[topic].partitions)

    def send(self, topic, key, record, partition=None):
        """Fills in where it went. Raises KafkaException when the broker refuses it."""
        delivered = []
        where = {} if partition is None else {"partition": partition}
        self._made.produce(
            topic,
            value=record.value,
            key=key,
            headers=record.headers,
            on_delivery=lambda failed, message: delivered.append((failed, message)),
            **where,
        )
        self._made.flush(30)
        assert delivered, f"no delivery report of {record.name}"
        failed, message = delivered[0]
        if failed:
            raise confluent_kafka.KafkaException(failed)
        record.partition, record.offset = message.partition(), message.offset()
