#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "metrics/registry.hpp"
#include "objectstore/signer.hpp"
#include "objectstore/store.hpp"
#include "postgres/pool.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace relais::upload {

/// What handlers work with. Lives as long as the server; used on the loop's thread.
struct dependencies {
    pg::pool& database;
    const clock& time;
    metrics::registry& metrics;
    objectstore::credentials credentials;
    std::string public_endpoint_url; ///< presigned URLs are made for it
    objectstore::endpoint_parts public_endpoint;
    std::string staging_bucket;
    std::string media_public_url;
    config::secret event_token;
    std::chrono::seconds grant_lifetime;
    std::size_t open_uploads_max;
    std::function<void()> wake_pipeline; ///< from any thread
};

} // namespace relais::upload
