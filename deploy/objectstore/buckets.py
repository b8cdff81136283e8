"""Makes the two buckets that uploads need, and has the store tell about new objects.

    python deploy/objectstore/buckets.py --event-url URL

Staging is private: clients send to it with what a grant signed, and nothing stays for long. Media
is read by everybody, through the bucket's policy. May be run again at any time; what it finds
otherwise it makes so. The store is named by the upload service's own variables: RELAIS_S3_ENDPOINT,
RELAIS_S3_REGION, RELAIS_S3_ACCESS_KEY, RELAIS_S3_SECRET_KEY or RELAIS_S3_SECRET_KEY_FILE,
RELAIS_S3_BUCKET_STAGING, RELAIS_S3_BUCKET_MEDIA; RELAIS_S3_CORS_ORIGINS (comma separated, default
every origin) says which pages may send files.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import sys

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session

# The service removes what it has seen; this is the net below it. Stores count in days of UTC.
STAGING_DAYS = 2
MULTIPART_DAYS = 1


def secret_key():
    path = os.environ.get("RELAIS_S3_SECRET_KEY_FILE")
    if path:
        return pathlib.Path(path).read_text(encoding="utf-8").strip()
    return os.environ["RELAIS_S3_SECRET_KEY"]


def client(service):
    """Path style, and no checksums that a store may not know."""
    return boto3.client(
        service,
        endpoint_url=os.environ.get("RELAIS_S3_ENDPOINT", "http://127.0.0.1:8464"),
        region_name=os.environ.get("RELAIS_S3_REGION", "default"),
        aws_access_key_id=os.environ["RELAIS_S3_ACCESS_KEY"],
        aws_secret_access_key=secret_key(),
        config=Config(
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"max_attempts": 10, "mode": "standard"},
        ),
    )


def make_bucket(s3, name):
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as problem:
        if problem.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        s3.create_bucket(Bucket=name)


def allow_browsers(s3, name, methods):
    origins = os.environ.get("RELAIS_S3_CORS_ORIGINS", "*").split(",")
    rule = {
        "AllowedMethods": methods,
        "AllowedOrigins": [origin.strip() for origin in origins],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 600,
    }
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})


def expire_staging(s3, name):
    rules = [
        {
            "ID": "staging",
            "Status": "Enabled",
            "Filter": {"Prefix": "staging/"},
            "Expiration": {"Days": STAGING_DAYS},
        },
        {
            "ID": "multipart",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": MULTIPART_DAYS},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


def read_by_all(s3, name):
    statement = {
        "Sid": "ReadByAll",
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{name}/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def forget_notification(s3, bucket, name):
    """Ceph adds to a bucket's notifications where AWS replaces them, and has a call of its own to
    take one away."""
    url = f"{s3.meta.endpoint_url}/{bucket}?notification={name}"
    request = AWSRequest("DELETE", url)
    credentials = Credentials(os.environ["RELAIS_S3_ACCESS_KEY"], secret_key())
    S3SigV4Auth(credentials, "s3", s3.meta.region_name).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    if answer.status_code not in (200, 204, 404):
        sys.exit(f"buckets: cannot remove the notification {name}: status {answer.status_code}")


def tell_about_objects(s3, bucket, url):
    """Persistent: the store keeps its messages while nobody answers at the URL.

    Ceph sends a topic's messages in order, each to the URL it was kept for, and waits at the first
    that fails. So every URL has a topic of its own; those of earlier URLs go with what they still
    hold (the service finds those objects when their grants run out).
    """
    sns = client("sns")
    prefix = f"{bucket}-events-"
    name = prefix + hashlib.sha256(url.encode()).hexdigest()[:8]
    attributes = {"push-endpoint": url, "persistent": "true"}
    topic = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    configuration = {"Id": name, "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"TopicConfigurations": [configuration]}
    )
    told = s3.get_bucket_notification_configuration(Bucket=bucket)["TopicConfigurations"]
    for other in told:
        if other["Id"] != name:
            forget_notification(s3, bucket, other["Id"])
    for arn in {each["TopicArn"] for each in sns.list_topics().get("Topics", [])}:
        if arn != topic and re.fullmatch(f".*:{re.escape(prefix)}[0-9a-f]{{8}}", arn):
            sns.delete_topic(TopicArn=arn)


def main():
    parser = argparse.ArgumentParser(description="Makes the buckets that uploads need.")
    parser.add_argument("--event-url", help="where the store tells about new objects in staging")
    arguments = parser.parse_args()
    staging = os.environ.get("RELAIS_S3_BUCKET_STAGING", "relais-staging")
    media = os.environ.get("RELAIS_S3_BUCKET_MEDIA", "relais-media")
    try:
        s3 = client("s3")
        make_bucket(s3, staging)
        make_bucket(s3, media)
        allow_browsers(s3, staging, ["PUT", "POST"])
        allow_browsers(s3, media, ["GET", "HEAD"])
        expire_staging(s3, staging)
        read_by_all(s3, media)
        if arguments.event_url:
            tell_about_objects(s3, staging, arguments.event_url)
    except KeyError as missing:
        sys.exit(f"buckets: {missing.args[0]} is not set")
    except (OSError, ClientError, BotoCoreError) as problem:
        sys.exit(f"buckets: {problem}")
    print(f"buckets {staging} and {media} are ready")


if __name__ == "__main__":
    main()
