#include "http/client.hpp"

#include "async/signal.hpp"
#include "http/client_connection.hpp"

#include <algorithm>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::http {
namespace {

using steady = std::chrono::steady_clock;
using connection_handle = std::unique_ptr<client_connection>;

/// RFC 9110 §9.2.2. Sending these twice is the same as once.
bool is_idempotent(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
           method == "OPTIONS";
}

bool is_target(std::string_view text) {
    return text.starts_with('/') &&
           std::ranges::all_of(text, [](unsigned char byte) { return byte > 0x20 && byte < 0x7f; });
}

origin origin_of(const client_settings& settings) {
    auto parsed = parse_origin(settings.base_url);
    if (!parsed) {
        throw std::runtime_error(settings.name + ": \"" + settings.base_url +
                                 "\": " + parsed.error().detail);
    }
    return *parsed;
}

asio::ssl::context make_tls(const origin& to) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    tls.set_verify_mode(asio::ssl::verify_peer);
    if (to.encrypted) { // to read whom the system trusts takes some 20 ms
        tls.set_default_verify_paths();
    }
    return tls;
}

} // namespace

struct client::impl {
    struct idle_connection {
        connection_handle connection;
        steady::time_point until;
    };

    client_settings settings;
    origin to;
    asio::io_context& loop;
    metrics::registry& metrics;
    asio::ssl::context tls;
    deadline_watch deadlines;
    async::signal freed;
    std::vector<idle_connection> idle; // the youngest last: the old ones may run out
    std::size_t busy = 0;
    metrics::counter opened;
    metrics::counter repeated;
    std::map<std::string, metrics::histogram> durations;

    impl(client_settings given, asio::io_context& io, metrics::registry& registry)
        : settings(std::move(given)), to(origin_of(settings)), loop(io), metrics(registry),
          tls(make_tls(to)), deadlines(io), freed(io),
          opened(registry.counter("http_client_connections_opened_total", "Connections made",
                                  {{"client", settings.name}})),
          repeated(registry.counter("http_client_repeated_requests_total",
                                    "Requests sent again: a kept connection was dead",
                                    {{"client", settings.name}})) {}

    /// A place among the connections, as long as it lives.
    class place {
    public:
        explicit place(impl& owner) : owner_(owner) {
            ++owner_.busy;
        }

        ~place() {
            --owner_.busy;
            owner_.freed.notify_all();
        }

        place(const place&) = delete;
        place& operator=(const place&) = delete;

    private:
        impl& owner_;
    };

    error named(error why) const {
        why.slug = settings.name + "-" + why.slug;
        return why;
    }

    void observe(const std::string& outcome, steady::time_point began) {
        auto [at, fresh] = durations.try_emplace(outcome);
        if (fresh) {
            at->second = metrics.histogram(
                "http_client_request_duration_seconds", "From the call to the whole answer",
                metrics::request_seconds(), {{"client", settings.name}, {"outcome", outcome}});
        }
        at->second.observe(std::chrono::duration<double>(steady::now() - began).count());
    }

    connection_handle take_idle() {
        while (!idle.empty()) {
            auto last = std::move(idle.back());
            idle.pop_back();
            if (steady::now() < last.until && last.connection->is_quiet()) {
                return std::move(last.connection);
            }
        }
        return nullptr;
    }

    void keep(connection_handle used) {
        const auto now = steady::now();
        std::erase_if(idle, [now](const auto& each) { return each.until <= now; });
        if (idle.size() < settings.connections_max) {
            idle.push_back({std::move(used), now + settings.idle_timeout});
        }
    }

    asio::awaitable<result<connection_handle>> connect(steady::time_point until);
    asio::awaitable<result<response>> attempt(const call& what, steady::time_point until);
};

asio::awaitable<result<connection_handle>> client::impl::connect(steady::time_point until) {
    auto made = std::make_unique<client_connection>(loop, deadlines, settings.body_max);
    opened.increment();
    const auto limit = std::min(until, steady::now() + settings.connect_timeout);
    auto opening = made->open(to, tls, limit);
    const result<void> open = co_await std::move(opening);
    if (!open) {
        // Not connecting in time is being away, whatever is left of the call's own time.
        error why = open.error();
        why.kind = error_kind::unavailable;
        why.slug = "unreachable";
        co_return std::unexpected(why);
    }
    co_return std::move(made);
}

asio::awaitable<result<response>> client::impl::attempt(const call& what,
                                                        steady::time_point until) {
    auto used = take_idle();
    if (used != nullptr) {
        auto exchanging = used->exchange(what, to, until);
        auto answer = co_await std::move(exchanging);
        const bool lost_race = !answer && answer.error().slug == "unreachable" &&
                               !used->answer_began() && is_idempotent(what.method);
        if (answer && used->reusable()) {
            keep(std::move(used));
        }
        if (!lost_race) {
            co_return answer;
        }
        repeated.increment();
    }
    auto connecting = connect(until);
    auto fresh = co_await std::move(connecting);
    if (!fresh) {
        co_return fail(fresh);
    }
    auto exchanging = (*fresh)->exchange(what, to, until);
    auto answer = co_await std::move(exchanging);
    if (answer && (*fresh)->reusable()) {
        keep(std::move(*fresh));
    }
    co_return answer;
}

client::client(client_settings settings, asio::io_context& loop, metrics::registry& metrics)
    : impl_(std::make_unique<impl>(std::move(settings), loop, metrics)) {}

client::~client() = default;

asio::awaitable<result<response>> client::send(call what) {
    impl& self = *impl_;
    const auto began = steady::now();
    const auto until = began + what.timeout;
    if (!is_target(what.target)) {
        co_return fail(error_kind::internal, self.settings.name + "-bad-target",
                       "a target is an encoded path with a query");
    }
    while (self.busy >= self.settings.connections_max) {
        const auto left = until - steady::now();
        if (left <= steady::duration::zero()) {
            self.observe("timeout", began);
            co_return fail(error_kind::timeout, self.settings.name + "-timeout",
                           "all connections are in use");
        }
        co_await self.freed.wait_for(left);
    }
    const impl::place held(self);
    auto attempting = self.attempt(what, until);
    auto answer = co_await std::move(attempting);
    if (!answer) {
        self.observe(answer.error().slug, began);
        co_return std::unexpected(self.named(answer.error()));
    }
    self.observe(std::to_string(answer->status), began);
    co_return answer;
}

} // namespace relais::http
