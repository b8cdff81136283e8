#include "gateway/upstream/upstreams.hpp"

#include "async/signal.hpp"
#include "ids/random.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds connect_timeout{1'000};
constexpr std::chrono::milliseconds check_period{500};
constexpr std::chrono::milliseconds check_timeout{1'000};
constexpr std::chrono::milliseconds pause_between_tries{25};
/// Shorter than a service keeps an idle connection (95 s): the side that sends must not be
/// surprised.
constexpr std::chrono::seconds idle_max{60};
constexpr std::size_t idle_connections_max = 64;

std::uint64_t random_bits() {
    std::uint64_t bits = 0;
    unique_bytes({reinterpret_cast<std::uint8_t*>(&bits), sizeof bits});
    return bits;
}

/// Names are resolved once, at the start; an address that does not exist then is a start-up error.
asio::ip::tcp::endpoint resolve(asio::io_context& loop, const config::endpoint& where) {
    boost::system::error_code failed;
    asio::ip::tcp::resolver resolver(loop);
    const auto found = resolver.resolve(where.host, std::to_string(where.port), failed);
    if (failed || found.empty()) {
        throw std::runtime_error(
            fmt::format("upstream {} cannot be resolved: {}", where.text(), failed.message()));
    }
    return found.begin()->endpoint();
}

http::client_settings client_of(const config::endpoint& where, const std::string& name) {
    http::client_settings out;
    out.base_url = "http://" + where.text();
    out.name = name;
    out.connections_max = 16;
    out.body_max = std::size_t{1024} * 1024;
    return out;
}

} // namespace

upstream::upstream(const upstream_service& service, asio::io_context& loop,
                   http::deadline_watch& deadlines, metrics::registry& metrics, log::logger logger)
    : name_(service.name), loop_(loop), deadlines_(deadlines), logger_(std::move(logger)),
      balancer_(service.targets.size()),
      connect_seconds_(metrics.histogram("gateway_upstream_duration_seconds",
                                         "Time of an upstream phase", metrics::request_seconds(),
                                         {{"upstream", name_}, {"phase", "connect"}})),
      service_seconds_(metrics.histogram("gateway_upstream_duration_seconds",
                                         "Time of an upstream phase", metrics::request_seconds(),
                                         {{"upstream", name_}, {"phase", "service"}})),
      connects_(metrics.counter("gateway_upstream_connections_total", "Connections by origin",
                                {{"upstream", name_}, {"origin", "new"}})),
      reuses_(metrics.counter("gateway_upstream_connections_total", "Connections by origin",
                              {{"upstream", name_}, {"origin", "pool"}})) {
    for (const auto& target : service.targets) {
        instance made;
        made.address = resolve(loop, target.address);
        made.service_client =
            std::make_unique<http::client>(client_of(target.address, name_), loop, metrics);
        made.admin_client = std::make_unique<http::client>(
            client_of(target.admin, name_ + "-admin"), loop, metrics);
        made.healthy = metrics.gauge("gateway_upstream_healthy", "1 when /readyz says yes",
                                     {{"upstream", name_}, {"instance", target.address.text()}});
        instances_.push_back(std::move(made));
    }
}

std::optional<stream> upstream::take_idle(std::size_t which) {
    auto& idle = instances_[which].idle;
    while (!idle.empty()) {
        auto last = std::move(idle.back());
        idle.pop_back();
        // The other side may have closed it, or sent what nobody asked for.
        if (steady::now() < last.until && last.connection.is_quiet()) {
            return std::move(last.connection);
        }
    }
    return std::nullopt;
}

asio::awaitable<result<upstream_connection>> upstream::try_once(bool fresh,
                                                                std::optional<std::size_t>& tried) {
    const auto which = balancer_.choose(steady::now(), random_bits(), tried);
    if (!fresh) {
        if (auto idle = take_idle(which)) {
            reuses_.increment();
            balancer_.begin(which);
            co_return upstream_connection{std::move(*idle), which, true};
        }
    }
    const auto start = steady::now();
    auto connected =
        co_await connect(deadlines_, loop_, instances_[which].address, connect_timeout);
    if (!connected) {
        balancer_.report_connect_failure(which, steady::now());
        tried = which;
        co_return fail(connected);
    }
    connect_seconds_.observe(std::chrono::duration<double>(steady::now() - start).count());
    connects_.increment();
    balancer_.report_success(which);
    balancer_.begin(which);
    co_return upstream_connection{std::move(*connected), which, false};
}

asio::awaitable<result<upstream_connection>> upstream::acquire(bool fresh,
                                                               steady::time_point until) {
    std::optional<std::size_t> tried;
    while (true) {
        auto got = co_await try_once(fresh, tried);
        if (got) {
            co_return got;
        }
        if (steady::now() + pause_between_tries >= until) {
            co_return fail(error_kind::unavailable, "no-healthy-upstream",
                           fmt::format("{} cannot be reached", name_));
        }
        co_await async::sleep_for(pause_between_tries);
    }
}

void upstream::release(upstream_connection used) {
    balancer_.end(used.instance);
    auto& where = instances_[used.instance];
    const bool keep = where.ready && used.connection.received().empty() &&
                      where.idle.size() < idle_connections_max;
    if (keep) {
        where.idle.push_back({std::move(used.connection), steady::now() + idle_max});
    }
}

void upstream::observe_answer(steady::duration took) {
    service_seconds_.observe(std::chrono::duration<double>(took).count());
}

void upstream::drop(upstream_connection used) {
    balancer_.end(used.instance);
    used.connection.close();
}

asio::awaitable<void> upstream::check(std::size_t which) {
    http::client::call what;
    what.target = "/readyz";
    what.timeout = check_timeout;
    const auto answer = co_await instances_[which].admin_client->send(std::move(what));
    auto& each = instances_[which];
    const bool ready = answer && answer->status == 200;
    if (ready != each.ready) {
        logger_.info(ready ? "upstream.ready" : "upstream.not_ready",
                     {{"upstream", name_}, {"instance", which}});
    }
    each.ready = ready;
    each.healthy.set(ready ? 1 : 0);
    balancer_.report_ready(which, ready);
    if (!ready) {
        // It is leaving: a request on one of these could meet its closing.
        each.idle.clear();
    }
}

asio::awaitable<void> upstream::watch_health() {
    while (true) {
        for (std::size_t i = 0; i < instances_.size(); ++i) {
            co_await check(i);
        }
        co_await async::sleep_for(check_period);
    }
}

bool upstream::is_usable() const {
    return balancer_.healthy_count(steady::now()) > 0;
}

std::vector<http::client*> upstream::clients() {
    std::vector<http::client*> out;
    out.reserve(instances_.size());
    for (auto& each : instances_) {
        out.push_back(each.service_client.get());
    }
    return out;
}

} // namespace relais::gateway
