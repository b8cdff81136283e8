"""Prints a topic's events: python tail.py 127.0.0.1:8461 market.job.events.v1"""
import pathlib, sys
from confluent_kafka import Consumer
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

pool = descriptor_pool.DescriptorPool()
image = (pathlib.Path(__file__).parents[1] / "image.binpb").read_bytes()
for file in descriptor_pb2.FileDescriptorSet.FromString(image).file:
    pool.Add(file)
consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "tail-example", "auto.offset.reset": "earliest"})
consumer.subscribe([sys.argv[2]])
while True:
    record = consumer.poll(1)
    if record and not record.error() and record.value() is not None:
        kind = pool.FindMessageTypeByName(dict(record.headers())["ce_type"].decode())
        message = message_factory.MessageFactory(pool).GetPrototype(kind).FromString(record.value())
        print(kind.full_name, json_format.MessageToJson(message, indent=None), flush=True)
