#include "outbox/relay.hpp"

#include "async/backoff.hpp"
#include "async/signal.hpp"
#include "events/topics.hpp"
#include "outbox/relay_session.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <stdexcept>

namespace asio = boost::asio;

namespace relais::outbox {

struct relay::impl {
    relay_settings settings;
    asio::io_context& loop;
    metrics::registry& registry;
    log::logger logger;
    relay_metrics metrics;
    relay_memory memory;
    const relay_session* session = nullptr; ///< while one runs
    state current = state::starting;
    std::string last_reason;

    void show(state now) {
        current = memory.blocked && now != state::standby ? state::blocked : now;
        metrics.relay_state.set(static_cast<double>(current));
        metrics.blocked.set(current == state::blocked ? 1 : 0);
    }

    void ended(const error& why);
};

namespace {

/// The pointer leads to the session as long as it lives, whatever ends it.
class session_in_sight {
public:
    session_in_sight(const relay_session*& pointer, const relay_session& session)
        : pointer_(pointer) {
        pointer_ = &session;
    }

    ~session_in_sight() {
        pointer_ = nullptr;
    }

    session_in_sight(const session_in_sight&) = delete;
    session_in_sight& operator=(const session_in_sight&) = delete;

private:
    const relay_session*& pointer_;
};

} // namespace

/// The same failure is not logged again each time it is tried.
void relay::impl::ended(const error& why) {
    show(state::waiting);
    metrics.session_failures.increment();
    if (why.slug + why.detail != last_reason) {
        last_reason = why.slug + why.detail;
        logger.warn("outbox.interrupted", {{"error", why.slug}, {"detail", why.detail}});
    }
}

relay::relay(relay_settings settings, asio::io_context& loop, metrics::registry& metrics,
             log::logger logger)
    : impl_(std::make_unique<impl>(impl{.settings = std::move(settings),
                                        .loop = loop,
                                        .registry = metrics,
                                        .logger = std::move(logger),
                                        .metrics = relay_metrics(metrics)})) {
    if (!pg::parse_connection_string(impl_->settings.database_url)) {
        throw std::invalid_argument("RELAIS_DATABASE_URL: not a libpq URI or connection string");
    }
    for (const auto& topic : events::all_topics()) {
        if (topic.written_by("relais/" + impl_->settings.service)) {
            impl_->settings.producer.topics.push_back(topic.name);
        }
    }
}

relay::~relay() = default;

relay::state relay::current() const {
    return impl_->current;
}

bool relay::has_published(const committed& what) const {
    return impl_->session != nullptr && impl_->session->has_published(what);
}

asio::awaitable<void> relay::run() {
    constexpr async::backoff wait{.first = std::chrono::milliseconds(200),
                                  .longest = std::chrono::seconds(5)};
    unsigned attempt = 0;
    while (true) {
        relay_session session({.settings = impl_->settings,
                               .loop = impl_->loop,
                               .registry = impl_->registry,
                               .metrics = impl_->metrics,
                               .logger = impl_->logger,
                               .memory = impl_->memory,
                               .show = [this](state now) {
                                   impl_->show(now);
                               }});
        const session_in_sight in_sight(impl_->session, session);
        error why{error_kind::internal, "outbox-relay-exception", "", "", std::nullopt};
        try {
            why = co_await session.run();
        } catch (const std::exception& thrown) {
            why.detail = thrown.what(); // being cancelled comes out here, too
        }
        const auto asked = co_await asio::this_coro::cancellation_state;
        const bool stopping = asked.cancelled() != asio::cancellation_type::none;
        if (stopping) {
            // What follows is short and must not be cut off: it saves the next start from
            // repeating.
            co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        }
        co_await session.finish();
        if (stopping) {
            impl_->show(state::waiting);
            co_return;
        }
        attempt = session.streamed() ? 1 : attempt + 1;
        impl_->ended(why);
        co_await async::sleep_for(wait.wait(attempt));
    }
}

} // namespace relais::outbox
