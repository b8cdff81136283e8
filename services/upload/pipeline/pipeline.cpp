#include "upload/pipeline/pipeline.hpp"

#include "async/backoff.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace asio = boost::asio;

namespace relais::upload {
namespace {

using milliseconds = std::chrono::milliseconds;

bool is_the_store(const error& why) {
    return why.slug.starts_with("objectstore-");
}

/// Only a picture that brings its worker down may be at fault; a store that is away never is.
bool counts_against_picture(const error& why) {
    return why.slug == "picture-worker-crashed" || why.slug == "picture-worker-timeout";
}

} // namespace

pipeline::pipeline(pipeline_settings settings, verifier& work, pg::pool& database,
                   const clock& time, asio::io_context& loop, metrics::registry& metrics,
                   log::logger logger)
    : settings_(settings), verifier_(work), database_(database), time_(time), loop_(loop),
      metrics_(metrics), logger_(std::move(logger)),
      active_(metrics.gauge("upload_work_active", "Uploads that are being worked on")),
      signal_(loop), tasks_(loop, [this](const std::string& name, const std::string& what) {
          logger_.error("task.failed", {{"task", name}, {"error", what}});
      }) {}

void pipeline::start() {
    tasks_.spawn("upload-pipeline", run());
    tasks_.spawn("upload-claims", renew());
}

asio::awaitable<void> pipeline::stop() {
    tasks_.cancel();
    co_await tasks_.join();
    const auto body = [holder = holder_, now = time_.now()](pg::transaction& tx) -> result<void> {
        store::release_claims(tx, holder, now);
        return {};
    };
    auto releasing = database_.transact("release_upload_work", body);
    const auto released = co_await std::move(releasing);
    if (!released) { // they run out by themselves
        logger_.warn("upload_work.not_released", {{"error", released.error().slug}});
    }
}

void pipeline::wake() {
    woken_ = true;
    signal_.notify_all();
}

std::function<void()> pipeline::waker() {
    return [this] {
        asio::post(loop_, [this] { wake(); });
    };
}

asio::awaitable<void> pipeline::run() {
    while (true) {
        woken_ = false;
        auto claiming = claim_and_start();
        const auto pause = co_await std::move(claiming);
        if (!woken_) {
            co_await signal_.wait_for(pause);
        }
    }
}

/// Returns how long nothing will be due.
asio::awaitable<milliseconds> pipeline::claim_and_start() {
    if (held_.size() >= settings_.concurrency) {
        co_return settings_.look_every; // the end of one of them wakes us
    }

    struct found {
        std::vector<store::work_claim> claims;
        std::optional<timestamp> next;
    };

    const auto body = [this, now = time_.now(), free = settings_.concurrency - held_.size(),
                       held = held_](pg::transaction& tx) -> result<found> {
        found out;
        out.claims = store::claim_work(tx, holder_, free, now, settings_.lease, held);
        out.next = store::next_work_at(tx);
        return out;
    };
    auto claiming = database_.transact("claim_upload_work", body);
    auto claimed = co_await std::move(claiming);
    if (!claimed) {
        co_return settings_.look_every;
    }
    for (const auto& claim : claimed->claims) {
        held_.insert(claim.upload);
        active_.set(static_cast<double>(held_.size()));
        tasks_.spawn("upload-" + claim.upload.text(), work_on(claim));
    }
    if (!claimed->next) {
        co_return settings_.look_every;
    }
    const auto until = std::chrono::ceil<milliseconds>(*claimed->next - time_.now());
    co_return std::clamp(until, milliseconds(1), settings_.look_every);
}

asio::awaitable<void> pipeline::work_on(store::work_claim claim) {
    // Also when it is cancelled or throws: what is not worked on must not be renewed.
    const auto let_go = [this, id = claim.upload](void*) {
        held_.erase(id);
        active_.set(static_cast<double>(held_.size()));
        wake();
    };
    const std::unique_ptr<void, decltype(let_go)> held(this, let_go);
    auto advancing = verifier_.advance(claim);
    const auto done = co_await std::move(advancing);
    if (!done) {
        auto postponing = postpone(claim, done.error());
        co_await std::move(postponing);
    }
}

asio::awaitable<void> pipeline::postpone(store::work_claim claim, error why) {
    const async::backoff pause{settings_.first_pause, is_the_store(why)
                                                          ? settings_.longest_pause_for_store
                                                          : settings_.longest_pause};
    const auto due_at = time_.now() + pause.wait(static_cast<unsigned>(claim.failures) + 1);
    logger_.warn("upload_work.postponed",
                 {{"upload_id", claim.upload.text()}, {"error", why.slug}, {"detail", why.detail}});
    metrics_
        .counter("upload_work_failures_total", "Work on uploads that is tried again",
                 {{"error", why.slug}})
        .increment();
    const auto body = [&claim, &why, due_at](pg::transaction& tx) -> result<void> {
        store::postpone_work(tx, claim, why.slug, counts_against_picture(why), due_at);
        return {};
    };
    auto postponing = database_.transact("postpone_upload_work", body);
    co_await std::move(postponing); // when this fails too, the claim runs out
}

asio::awaitable<void> pipeline::renew() {
    while (true) {
        co_await async::sleep_for(settings_.lease / 3);
        if (held_.empty()) {
            continue;
        }
        const auto body = [holder = holder_, held = held_, until = time_.now() + settings_.lease](
                              pg::transaction& tx) -> result<void> {
            store::renew_claims(tx, holder, held, until);
            return {};
        };
        auto renewing = database_.transact("renew_upload_work", body);
        const auto renewed = co_await std::move(renewing);
        if (!renewed) {
            logger_.warn("upload_work.not_renewed", {{"error", renewed.error().slug}});
        }
    }
}

} // namespace relais::upload
