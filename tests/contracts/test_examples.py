"""The documented ways for other programs to read the events: kcat, protoc and ten lines of Python."""

import json
import os
import pathlib
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ROOT = pathlib.Path(__file__).resolve().parents[2]
BROKERS = os.environ.get("RELAIS_TEST_KAFKA", "")
KIND = "relais.market.v1.JobPublished"


def job_type():
    image = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "proto/image.binpb").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in image.file:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(KIND))


@pytest.fixture(scope="module")
def topic():
    """A topic with one event, written by a client that is not ours."""
    name = f"test-{uuid.uuid4()}.market.job.events.v1"
    admin = AdminClient({"bootstrap.servers": BROKERS})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(20)
    job = job_type()(job_id="job-1", category="plumbing")
    producer = Producer({"bootstrap.servers": BROKERS})
    headers = {"ce_type": KIND, "ce_id": str(uuid.uuid4()), "content-type": "application/protobuf"}
    producer.produce(name, job.SerializeToString(), "job-1", headers=headers)
    assert producer.flush(20) == 0
    yield name
    admin.delete_topics([name])


def test_kcat_reads_events(topic):
    done = subprocess.run(
        ["kcat", "-b", BROKERS, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%k %h\n"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("job-1 ")
    assert f"ce_type={KIND}" in done.stdout


def test_kcat_and_protoc_decode_a_payload(topic):
    payload = subprocess.run(
        ["kcat", "-b", BROKERS, "-C", "-t", topic, "-o", "beginning", "-c", "1", "-q", "-D", "",
         "-f", "%s"],
        capture_output=True,
        timeout=60,
    ).stdout
    done = subprocess.run(
        ["protoc", "--decode", KIND, "-I", ROOT / "proto",
         ROOT / "proto/relais/market/v1/job_events.proto"],
        input=payload,
        capture_output=True,
        timeout=60,
    )
    assert b'category: "plumbing"' in done.stdout, done.stderr


def test_ten_lines_of_python_read_events(topic):
    reader = subprocess.Popen(
        [sys.executable, ROOT / "proto/examples/tail.py", BROKERS, topic],
        stdout=subprocess.PIPE,
        text=True,
    )
    begin = time.monotonic()
    line = reader.stdout.readline()
    reader.kill()
    reader.wait()
    assert time.monotonic() - begin < 60
    kind, data = line.split(" ", 1)
    assert kind == KIND
    assert json.loads(data) == {"jobId": "job-1", "category": "plumbing"}
