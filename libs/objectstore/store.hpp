#pragma once

#include "http/client.hpp"
#include "objectstore/signer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace relais::objectstore {

struct object_info {
    std::uint64_t size_bytes = 0;
    std::string content_type;
    std::string etag; ///< never a content hash
};

/// An S3 bucket's objects, path style, signed. Answers are decided by status and error code; 500, 503
/// and RequestTimeout are tried again with jitter inside the deadline.
/// Errors: `not_found` / "no-such-object", `unavailable` / "objectstore-unavailable", `timeout`,
/// `forbidden` / "objectstore-denied". Metrics: s3_request_duration_seconds{op,code}.
class store {
  public:
    store(std::string endpoint_url, credentials with, const clock& time,
          boost::asio::io_context& loop, metrics::registry& metrics);
    ~store();

    boost::asio::awaitable<result<object_info>> head(std::string bucket, std::string key);
    /// Whole into memory, at most max_bytes.
    boost::asio::awaitable<result<std::string>> get(std::string bucket, std::string key,
                                                    std::uint64_t max_bytes);
    /// With cache-control for immutable objects when `immutable`.
    boost::asio::awaitable<result<void>> put(std::string bucket, std::string key, std::string body,
                                             std::string content_type, bool immutable);
    boost::asio::awaitable<result<void>> remove(std::string bucket, std::string key);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace relais::objectstore
