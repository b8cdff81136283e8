#include "upload/pipeline/picture_workers.hpp"

#include "async/timeout.hpp"

namespace asio = boost::asio;

namespace relais::upload {
namespace {

constexpr double megabyte = 1e6;

const std::vector<double>& memory_bytes() {
    static const std::vector<double> bounds{40 * megabyte,  60 * megabyte,   100 * megabyte,
                                            150 * megabyte, 200 * megabyte,  300 * megabyte,
                                            500 * megabyte, 1'000 * megabyte};
    return bounds;
}

} // namespace

picture_workers::picture_workers(picture_worker_settings settings, asio::io_context& loop,
                                 metrics::registry& metrics, log::logger logger)
    : settings_(std::move(settings)), loop_(loop), metrics_(metrics), logger_(std::move(logger)),
      memory_(metrics.histogram("upload_picture_memory_bytes",
                                "The most memory that a picture's worker held", memory_bytes())) {}

result<void> picture_workers::start() {
    auto started = child_process::spawn(settings_.executable, loop_);
    if (!started) {
        return fail(started);
    }
    reserve_.emplace(std::move(*started));
    return {};
}

void picture_workers::stop() {
    stopped_ = true;
    reserve_.reset();
}

result<child_process> picture_workers::take() {
    if (reserve_ && reserve_->alive()) {
        child_process out = std::move(*reserve_);
        reserve_.reset();
        return out;
    }
    reserve_.reset();
    return child_process::spawn(settings_.executable, loop_);
}

void picture_workers::observe(std::string_view outcome,
                              std::chrono::steady_clock::time_point start) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    metrics_
        .histogram("upload_picture_seconds", "Time a picture took in its worker process",
                   metrics::delivery_seconds(), {{"outcome", std::string(outcome)}})
        .observe(took.count());
}

asio::awaitable<result<picture_answer>> picture_workers::make_variants(picture_request request) {
    const auto start = std::chrono::steady_clock::now();
    auto child = take();
    if (!child) {
        co_return fail(child);
    }
    std::string frames = write_request(request);
    request.picture = {}; // one copy is enough while we wait
    auto exchange = child->exchange(std::move(frames), answer_max_bytes);
    auto limited =
        async::with_timeout(std::move(exchange), settings_.timeout, "picture-worker-timeout");
    const result<std::string> bytes = co_await std::move(limited);
    if (child->peak_memory_bytes() > 0) {
        memory_.observe(static_cast<double>(child->peak_memory_bytes()));
    }
    if (!reserve_ && !stopped_) {
        const auto restarted =
            this->start(); // ready before the next picture; a failure shows there
        if (!restarted) {
            logger_.warn("picture_worker.not_started", {{"detail", restarted.error().detail}});
        }
    }
    if (!bytes) {
        observe(bytes.error().kind == error_kind::timeout ? "timeout" : "crashed", start);
        logger_.warn("picture_worker.failed",
                     {{"error", bytes.error().slug}, {"detail", bytes.error().detail}});
        co_return fail(bytes);
    }
    auto answer = read_answer(*bytes, request.recipe);
    if (!answer) {
        observe("crashed", start);
        co_return fail(error_kind::internal, "picture-worker-crashed", answer.error().detail);
    }
    observe(answer->reason.empty() ? "made" : "refused", start);
    co_return answer;
}

} // namespace relais::upload
