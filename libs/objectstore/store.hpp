#pragma once

#include "http/client.hpp"
#include "objectstore/signer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace relais::objectstore {

struct object_info {
    std::uint64_t size_bytes = 0;
    std::string content_type;
    std::string etag; ///< never a content hash
};

/// Where a URL points, in the parts that signing needs.
struct endpoint_parts {
    std::string host; ///< with the port when it is not the scheme's
    std::string path; ///< "" or "/prefix", without a slash at the end
};

endpoint_parts split_endpoint(std::string_view url);

struct store_settings {
    std::string endpoint_url; ///< http(s)://host[:port], reached by this process
    objectstore::credentials credentials;
    std::uint64_t object_max_bytes = std::uint64_t{64} * 1024 * 1024; ///< nothing larger is read
    std::chrono::milliseconds deadline{10'000}; ///< for one operation with all its tries
    std::chrono::milliseconds attempt_timeout{5'000};
    unsigned attempts_max = 4;
};

/// An S3 bucket's objects, path style, signed. Answers are decided by status and error code; 500,
/// 503, RequestTimeout and lost connections are tried again with jitter inside the deadline.
/// Errors: `not_found` / "no-such-object", `unavailable` / "objectstore-unavailable", `timeout`,
/// `forbidden` / "objectstore-denied", `too_large`, `internal` / "objectstore-bad-answer".
/// Metrics: s3_request_duration_seconds{op,code}, s3_retries_total. On the loop's thread.
class store {
public:
    store(store_settings settings, const clock& time, boost::asio::io_context& loop,
          metrics::registry& metrics);
    ~store();
    store(const store&) = delete;
    store& operator=(const store&) = delete;

    boost::asio::awaitable<result<object_info>> head(std::string bucket, std::string key);
    /// Whole into memory. Error: `too_large` / "object-too-large" over max_bytes.
    boost::asio::awaitable<result<std::string>> get(std::string bucket, std::string key,
                                                    std::uint64_t max_bytes);
    /// With cache-control for immutable objects when `immutable`.
    boost::asio::awaitable<result<void>> put(std::string bucket, std::string key, std::string body,
                                             std::string content_type, bool immutable);
    /// An object that is not there is removed already: success.
    boost::asio::awaitable<result<void>> remove(std::string bucket, std::string key);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::objectstore
