#pragma once

#include "config/reader.hpp"
#include "host/process.hpp"
#include "objectstore/signer.hpp"
#include "outbox/relay_options.hpp"
#include "upload/pipeline/verifier.hpp"

#include <chrono>
#include <string>

namespace relais::upload {

struct settings {
    host::process_settings process;
    config::endpoint listen;
    config::secret identity_public_key;
    std::string database_url;
    std::size_t database_connections = 4;
    std::size_t instances_max = 2;
    std::string kafka_brokers;
    outbox::relay_options outbox;
    std::string s3_endpoint;        ///< reached by this service
    std::string s3_public_endpoint; ///< reached by clients; presigned URLs are made for it
    objectstore::credentials s3_credentials;
    config::secret s3_event_token;
    bucket_names buckets;
    std::string media_public_url; ///< variants lie under it, by key
    std::string worker;           ///< path of relais-upload-worker
    std::size_t concurrency = 2;
    std::chrono::seconds lease{15};
    std::chrono::seconds grant_lifetime{900};
    std::size_t open_uploads_max = 20; ///< per account
};

settings read_settings(config::reader& from);

} // namespace relais::upload
