#include "upload/config.hpp"

#include <filesystem>
#include <unistd.h>

namespace relais::upload {
namespace {

/// Installed and built beside the service.
std::string worker_beside_us() {
    std::error_code failed;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
    return (self.parent_path() / "relais-upload-worker").string();
}

std::size_t count(config::reader& from, std::string_view name, std::int64_t fallback,
                  std::int64_t max, std::string_view description) {
    return static_cast<std::size_t>(from.integer(name, fallback, 1, max, description));
}

void read_store(config::reader& from, settings& out) {
    out.s3_endpoint =
        from.url("RELAIS_S3_ENDPOINT", "http://127.0.0.1:8464", "The object store, for us");
    out.s3_public_endpoint = from.url("RELAIS_S3_PUBLIC_ENDPOINT", out.s3_endpoint,
                                      "The object store as clients reach it");
    out.s3_credentials.region = from.text("RELAIS_S3_REGION", "default", "Region to sign for");
    out.s3_credentials.access_key = from.text("RELAIS_S3_ACCESS_KEY", "relais", "Access key id");
    out.s3_credentials.secret_key =
        from.secret("RELAIS_S3_SECRET_KEY", std::nullopt, "Secret of the access key");
    out.s3_event_token = from.secret("RELAIS_S3_EVENT_TOKEN", std::nullopt,
                                     "Token in the URL that the store sends its events to");
    out.buckets.staging = from.text("RELAIS_S3_BUCKET_STAGING", "relais-staging",
                                    "Private bucket that clients send to");
    out.buckets.media =
        from.text("RELAIS_S3_BUCKET_MEDIA", "relais-media", "Public bucket of finished pictures");
    out.media_public_url =
        from.url("RELAIS_MEDIA_PUBLIC_URL", out.s3_public_endpoint + "/" + out.buckets.media,
                 "What the keys of pictures are appended to");
}

} // namespace

settings read_settings(config::reader& from) {
    settings out;
    out.process = host::read_process_settings(from, "upload", "127.0.0.1:8421");
    out.listen = from.endpoint("RELAIS_LISTEN", "127.0.0.1:8420", "Where requests are received");
    out.identity_public_key = from.key("RELAIS_IDENTITY_PUBLIC_KEY", 32,
                                       "Ed25519 public key of the gateway's identity header");
    out.database_url =
        from.text("RELAIS_DATABASE_URL", std::nullopt, "PostgreSQL URI of the service's database");
    out.database_connections =
        count(from, "RELAIS_DATABASE_CONNECTIONS", 4, 64, "Database connections (threads)");
    out.instances_max =
        count(from, "RELAIS_INSTANCES_MAX", 2, 100, "Most instances that may run at the same time");
    out.kafka_brokers =
        from.text("RELAIS_KAFKA_BROKERS", "127.0.0.1:8461", "Kafka bootstrap servers");
    out.outbox = outbox::read_relay_options(from);
    read_store(from, out);
    out.worker = from.text("RELAIS_UPLOAD_WORKER", worker_beside_us(),
                           "Program that makes the variants of a picture");
    if (access(out.worker.c_str(), X_OK) != 0) {
        from.problem("RELAIS_UPLOAD_WORKER", "is not a program that can be run");
    }
    out.concurrency =
        count(from, "RELAIS_UPLOAD_CONCURRENCY", 2, 64, "Pictures worked on at a time");
    out.lease = std::chrono::seconds(
        from.integer("RELAIS_UPLOAD_LEASE_SECONDS", 15, 1, 600,
                     "After this long another instance takes over what a killed one worked on"));
    out.grant_lifetime = std::chrono::seconds(from.integer("RELAIS_UPLOAD_GRANT_SECONDS", 900, 10,
                                                           86'400, "How long a grant may be used"));
    out.open_uploads_max = count(from, "RELAIS_UPLOAD_OPEN_MAX", 20, 10'000,
                                 "Uploads that one account may have unfinished");
    return out;
}

} // namespace relais::upload
