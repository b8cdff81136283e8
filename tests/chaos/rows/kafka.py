"""Kafka down, restarted, and without the offsets of a consumer group: writes go on at the same
latency, everything follows, nothing is lost and nothing done twice."""

import statistics
import time

from arrivals import (
    expect_one_mail,
    expect_one_membership,
    register,
    settled,
    validate,
    wait_until_idle,
)
from people import wait_until
from probes import alive, median_s, metric_shows, recovered

TITLE = "Kafka down, restarted, a group's offsets gone"
DOWN_S, DOWN_SHORT_S = 60.0, 4.0
WRITES_PER_SECOND = 2
RECOVERY_S = 60.0  # its own start included
FOLLOWED = 5  # of the people who registered meanwhile, so many go on with the story


def run(chaos):
    down(chaos)
    restarted(chaos)
    groups = ["notification"] if chaos.short else ["notification", "mailing-list-sync"]
    for service in groups:
        without_offsets(chaos, service)


def down(chaos):
    usual_s = median_s(chaos.gateway)
    down_s = DOWN_SHORT_S if chaos.short else DOWN_S
    chaos.inject(f"Kafka is down for {down_s:g} s")
    chaos.suite.stop("kafka")
    registered = []
    try:
        end = time.monotonic() + down_s
        while time.monotonic() < end or len(registered) < FOLLOWED:
            registered.append(register(chaos.gateway))
            wait_until(lambda: time.monotonic() >= end, 1 / WRITES_PER_SECOND)
        alive(chaos)
        unsent = "events that wait"
        metric_shows(chaos, unsent, "web-api", "outbox_unsent_messages", lambda count: count > 0)
    finally:
        begun = time.monotonic()
        chaos.suite.start("kafka")
    median_down_s = statistics.median(took_s for _, took_s in registered)
    # "The same": the spread of a small sample on a busy machine, not a time-out.
    same = median_down_s < 2 * usual_s + 0.1
    seen = f"{median_down_s:.3f} s, usually {usual_s:.3f} s"
    chaos.check("writes take as long as ever", same, seen)
    arrives(chaos, "kafka down", registered[-1][0], begun)
    for person, _ in registered:
        with chaos.checking(f"one mail to {person.email}"):
            expect_one_mail(chaos.sandbox, person)
    follow(chaos, [person for person, _ in registered[:FOLLOWED]])


def arrives(chaos, name, person, begun):
    """The mail of the last who registered."""

    def has_mail():
        return chaos.sandbox.find("mails", to=person.email)

    recovered(chaos, name, has_mail, RECOVERY_S, "the mails arrive", begun)


def follow(chaos, people):
    """The rest of what registering leads to, once."""
    for person in people:
        validate(chaos.gateway, chaos.sandbox, person)
    for person in people:
        with chaos.checking(f"one membership and one mail for {person.email}"):
            expect_one_membership(chaos.sandbox, person)
            settled(chaos.suite, chaos.sandbox, person, mails=1, pushes=0)


def restarted(chaos):
    """Killed in the middle of events; what it had acknowledged is on its disk."""
    people = [register(chaos.gateway)[0] for _ in range(3)]
    chaos.inject("kill -9 of Kafka; its supervisor starts it again")
    begun = time.monotonic()
    chaos.suite.kill("kafka")
    people += [register(chaos.gateway)[0] for _ in range(2)]
    arrives(chaos, "kafka restarted", people[-1], begun)
    for person in people:
        with chaos.checking(f"one mail to {person.email}"):
            expect_one_mail(chaos.sandbox, person)
    follow(chaos, people)


def without_offsets(chaos, service):
    """The database knows what was handled; Kafka's own offsets are only a hint."""
    before = [register(chaos.gateway)[0] for _ in range(2)]
    for person in before:
        expect_one_mail(chaos.sandbox, person)
    wait_until_idle(chaos.suite)
    chaos.suite.stop(service)
    try:
        chaos.inject(f"the offsets of {service}'s group are deleted at the broker")
        chaos.check(f"there were offsets of {service}", delete_offsets(chaos, service) > 0)
        meanwhile = [register(chaos.gateway)[0] for _ in range(2)]
    finally:
        begun = time.monotonic()
        chaos.suite.start(service)
    arrives(chaos, f"offsets of {service} gone", meanwhile[-1], begun)
    for person in meanwhile:
        with chaos.checking(f"one mail to {person.email}"):
            expect_one_mail(chaos.sandbox, person)
    follow(chaos, meanwhile)
    for person in before:
        with chaos.checking(f"no second mail to {person.email}"):
            settled(chaos.suite, chaos.sandbox, person, mails=1, pushes=0)


def delete_offsets(chaos, group):
    """Returns how many partitions' offsets there were."""
    # Here, so that the command says what is wrong with its words without this library.
    from confluent_kafka import ConsumerGroupTopicPartitions
    from confluent_kafka.admin import AdminClient

    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{chaos.suite.port_base + 61}"})
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    known = asked[group].result(30).topic_partitions
    wait_until(lambda: emptied(admin, group), 60.0, 0.2)
    admin.delete_consumer_groups([group])[group].result(30)
    return len(known)


def emptied(admin, group):
    """A group can be deleted once its members have left."""
    described = admin.describe_consumer_groups([group])[group].result(30)
    return not described.members
