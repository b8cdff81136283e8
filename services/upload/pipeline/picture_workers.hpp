#pragma once

#include "log/logger.hpp"
#include "metrics/registry.hpp"
#include "upload/picture/frames.hpp"
#include "upload/pipeline/child_process.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace relais::upload {

struct picture_worker_settings {
    std::string executable;                    ///< relais-upload-worker
    std::chrono::milliseconds timeout{20'000}; ///< for one picture; then SIGKILL
};

/// Pictures in processes of their own: one process per picture, never reused, so that one picture
/// can harm nothing but itself. One started process waits in reserve, with libvips loaded. Metrics:
/// upload_picture_seconds{outcome}, upload_picture_memory_bytes. On the loop's thread.
class picture_workers {
public:
    picture_workers(picture_worker_settings settings, boost::asio::io_context& loop,
                    metrics::registry& metrics, log::logger logger);

    /// Starts the reserve. Error: `unavailable` / "picture-worker-not-started".
    result<void> start();

    /// Ends the reserve.
    void stop();

    /// Errors: `internal` / "picture-worker-crashed" (also: an answer that makes no sense),
    /// `timeout` / "picture-worker-timeout", `unavailable` / "picture-worker-not-started". A
    /// refused picture is an answer with a reason.
    boost::asio::awaitable<result<picture_answer>> make_variants(picture_request request);

private:
    result<child_process> take();
    void observe(std::string_view outcome, std::chrono::steady_clock::time_point start);

    picture_worker_settings settings_;
    boost::asio::io_context& loop_;
    metrics::registry& metrics_;
    log::logger logger_;
    metrics::histogram memory_;
    std::optional<child_process> reserve_;
    bool stopped_ = false;
};

} // namespace relais::upload
