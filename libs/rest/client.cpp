#include "rest/client.hpp"

#include "rest/exchange.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>

namespace asio = boost::asio;

namespace relais::rest {
namespace {

using outcome = std::expected<answer, no_answer>;

constexpr std::array<std::string_view, 5> status_classes{"2xx", "3xx", "4xx", "5xx", "none"};
constexpr std::array<error_kind, 5> missing_kinds{error_kind::unavailable, error_kind::timeout,
                                                  error_kind::too_large, error_kind::invalid,
                                                  error_kind::internal};

} // namespace

struct client::impl {
    impl(client_settings given, metrics::registry& metrics, log::logger sink)
        : settings(std::move(given)), logger(std::move(sink)),
          pool({"rest-" + settings.name, settings.connections, settings.queue_max}, metrics),
          guard(settings.leave_alone),
          open(metrics.gauge("provider_breaker_open", "1 while the provider is left alone",
                             {{"provider", settings.name}})),
          refused(metrics.counter("provider_breaker_refused_total",
                                  "Calls not made because the provider is left alone",
                                  {{"provider", settings.name}})) {
        for (std::size_t i = 0; i < status_classes.size(); ++i) {
            duration[i] = metrics.histogram(
                "provider_request_duration_seconds", "Calls to providers, until the whole answer",
                metrics::request_seconds(),
                {{"provider", settings.name}, {"status_class", std::string(status_classes[i])}});
            no_answers[i] = metrics.counter(
                "provider_no_answer_total", "Calls to providers that ended without an answer",
                {{"provider", settings.name}, {"kind", std::string(to_string(missing_kinds[i]))}});
        }
    }

    void count(const outcome& ended, std::chrono::steady_clock::time_point began) const {
        std::size_t place = status_classes.size() - 1;
        if (ended && ended->status >= 200 && ended->status < 600) {
            place = static_cast<std::size_t>(ended->status / 100 - 2);
        }
        const auto took = std::chrono::steady_clock::now() - began;
        duration[place].observe(std::chrono::duration<double>(took).count());
        for (std::size_t i = 0; !ended && i < missing_kinds.size(); ++i) {
            if (missing_kinds[i] == ended.error().reason.kind) {
                no_answers[i].increment();
            }
        }
    }

    outcome refuse() const {
        refused.increment();
        const error why{error_kind::unavailable, settings.name + "-left-alone",
                        "it failed several times in a row", "",
                        guard.wait(std::chrono::steady_clock::now())};
        return std::unexpected(no_answer{true, why});
    }

    /// What an ended call says about the provider.
    void judge(const outcome& ended, bool began_at_all) {
        const bool was_open = guard.is_open();
        const bool answered = ended && ended->status < 500;
        const bool silent = ended || ended.error().reason.kind == error_kind::timeout ||
                            ended.error().reason.kind == error_kind::unavailable;
        if (began_at_all && answered) {
            guard.succeeded();
        } else if (began_at_all && silent) {
            guard.failed(std::chrono::steady_clock::now());
        } else {
            guard.given_up();
        }
        open.set(guard.is_open() ? 1 : 0);
        if (was_open != guard.is_open()) {
            logger.warn(was_open ? "provider.taken_up" : "provider.left_alone",
                        {{"provider", settings.name}});
        }
    }

    client_settings settings;
    log::logger logger;
    async::worker_pool pool;
    breaker guard;
    metrics::gauge open;
    metrics::counter refused;
    std::array<metrics::histogram, status_classes.size()> duration;
    std::array<metrics::counter, missing_kinds.size()> no_answers;
};

client::client(client_settings settings, metrics::registry& metrics, log::logger logger)
    : impl_(std::make_unique<impl>(std::move(settings), metrics, std::move(logger))) {}

client::~client() = default;

asio::awaitable<std::expected<answer, no_answer>> client::send(call what,
                                                               const trace::context& where) {
    if (!impl_->guard.may_call(std::chrono::steady_clock::now())) {
        co_return impl_->refuse();
    }
    const auto span = where.child();
    what.headers.emplace_back("traceparent", span.traceparent());
    const auto began = std::chrono::steady_clock::now();
    const auto until = began + what.timeout;

    const auto limit = std::make_shared<time_limit>(); // shared with the timer's handler
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, until);
    timer.async_wait([limit](const boost::system::error_code& cancelled) {
        if (!cancelled) {
            limit->expire();
        }
    });
    const auto* const settings = &impl_->settings;
    const auto method = what.method;
    auto job = [settings, limit, request = std::move(what)](std::size_t) -> result<outcome> {
        return exchange(*settings, request, *limit);
    };
    auto ran = co_await impl_->pool.run(std::move(job), until);
    timer.cancel();

    // What the pool refused did not begin; only an exception in the job leaves it open.
    auto ended = ran ? std::move(*ran)
                     : outcome(std::unexpected(
                           no_answer{ran.error().kind != error_kind::internal, ran.error()}));
    impl_->count(ended, began);
    impl_->judge(ended, ran.has_value());
    if (!ended) {
        const auto& missing = ended.error();
        impl_->logger.with(span).warn("provider.no_answer",
                                      {{"provider", impl_->settings.name},
                                       {"method", method},
                                       {"reason", missing.reason.slug},
                                       {"detail", missing.reason.detail},
                                       {"surely_not_sent", missing.surely_not_sent}});
    }
    co_return ended;
}

void client::stop() {
    impl_->pool.stop();
}

} // namespace relais::rest
