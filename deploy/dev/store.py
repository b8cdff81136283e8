"""Makes the two buckets of an environment and connects them. May be run again at any time.

Reads RELAIS_S3_* as the upload service does, and RELAIS_S3_EVENTS_URL: where the store tells about
new objects. Staging takes uploads from browsers and keeps nothing for long; media is read by all.
"""

import json
import os
import pathlib

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

STAGING_DAYS = 7
TOPIC = "relais-uploads"


def client(service):
    environment = os.environ
    secret = pathlib.Path(environment["RELAIS_S3_SECRET_KEY_FILE"]).read_text().strip()
    return boto3.client(
        service,
        endpoint_url=environment["RELAIS_S3_ENDPOINT"],
        region_name=environment["RELAIS_S3_REGION"],
        aws_access_key_id=environment["RELAIS_S3_ACCESS_KEY"],
        aws_secret_access_key=secret,
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
    s3.put_bucket_cors(
        Bucket=name,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedMethods": methods,
                    "AllowedOrigins": ["*"],
                    "AllowedHeaders": ["*"],
                    "ExposeHeaders": ["ETag"],
                    "MaxAgeSeconds": 3600,
                }
            ]
        },
    )


def expire_staging(s3, name):
    """The upload service removes what it no longer needs; this is the net below it."""
    s3.put_bucket_lifecycle_configuration(
        Bucket=name,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "staging",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": STAGING_DAYS},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": STAGING_DAYS},
                }
            ]
        },
    )


def read_by_all(s3, name):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))


def tell_about_objects(s3, name, url):
    """Persistent: the store keeps its messages while the upload service is away."""
    topic = client("sns").create_topic(
        Name=TOPIC, Attributes={"push-endpoint": url, "persistent": "true"}
    )
    s3.put_bucket_notification_configuration(
        Bucket=name,
        NotificationConfiguration={
            "TopicConfigurations": [
                {
                    "Id": "uploads",
                    "TopicArn": topic["TopicArn"],
                    "Events": ["s3:ObjectCreated:*"],
                }
            ]
        },
    )


def main():
    staging = os.environ["RELAIS_S3_BUCKET_STAGING"]
    media = os.environ["RELAIS_S3_BUCKET_MEDIA"]
    s3 = client("s3")
    make_bucket(s3, staging)
    make_bucket(s3, media)
    allow_browsers(s3, staging, ["PUT", "POST"])
    allow_browsers(s3, media, ["GET", "HEAD"])
    expire_staging(s3, staging)
    read_by_all(s3, media)
    tell_about_objects(s3, staging, os.environ["RELAIS_S3_EVENTS_URL"])
    print(f"buckets {staging} and {media} are ready")


if __name__ == "__main__":
    main()
