#include "gateway/upstream/service_watch.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace relais::gateway {
namespace {

constexpr std::chrono::milliseconds check_period{500};
constexpr std::chrono::milliseconds check_timeout{1'000};
/// The resolver's own cache honours the records' lifetimes; asking it is cheap.
constexpr std::chrono::seconds resolve_period{5};
constexpr std::size_t addresses_max = 64; ///< of one name

std::string url_of(const tcp::endpoint& where) {
    const auto address = where.address().to_string();
    return where.address().is_v6() ? fmt::format("http://[{}]:{}", address, where.port())
                                   : fmt::format("http://{}:{}", address, where.port());
}

} // namespace

struct service_watch::instance {
    endpoint address;
    endpoint admin;
    std::unique_ptr<http::client> client;
    metrics::gauge healthy;
    bool ready = true; ///< until it says otherwise
    bool gone = false;
};

service_watch::service_watch(const upstream_service& what, audience told, asio::io_context& loop,
                             metrics::registry& metrics, log::logger logger)
    : name_(what.name), asks_readyz_(!what.always_ready), targets_(what.targets),
      told_(std::move(told)), loop_(loop), metrics_(metrics), logger_(std::move(logger)),
      resolve_failures_(metrics.counter("gateway_upstream_resolve_failures_total",
                                        "Names that could not be resolved", {{"upstream", name_}})),
      changed_(loop), resolved_(targets_.size()) {}

service_watch::~service_watch() = default;

bool service_watch::has_ready() const {
    return std::ranges::any_of(instances_, [](const auto& each) { return each->ready; });
}

void service_watch::set_targets(const std::vector<upstream_target>& targets) {
    if (targets != targets_) {
        targets_ = targets;
        resolved_.assign(targets_.size(), {});
        changed_.notify_all();
    }
}

void service_watch::stop() {
    stopped_ = true;
    for (const auto& each : instances_) {
        each->gone = true;
        each->healthy.set(0);
    }
    changed_.notify_all();
}

asio::awaitable<void> service_watch::resolve_all() {
    std::vector<std::pair<endpoint, endpoint>> now;
    const auto targets = targets_; // they may change meanwhile
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const auto& target = targets[i];
        tcp::resolver resolver(loop_);
        auto resolving =
            resolver.async_resolve(target.address.host, std::to_string(target.address.port),
                                   asio::as_tuple(asio::use_awaitable));
        const auto [failed, found] = co_await std::move(resolving);
        if (failed == asio::error::operation_aborted || stopped_ || targets != targets_) {
            co_return;
        }
        if (failed || found.empty()) {
            resolve_failures_.increment();
            logger_.warn(
                "upstream.not_resolved",
                {{"upstream", name_}, {"host", target.address.host}, {"error", failed.message()}});
        } else {
            resolved_[i].clear();
            for (const auto& each : found) {
                if (resolved_[i].size() < addresses_max) {
                    const auto address = each.endpoint();
                    resolved_[i].emplace_back(address,
                                              endpoint(address.address(), target.admin.port));
                }
            }
        }
        now.insert(now.end(), resolved_[i].begin(), resolved_[i].end());
    }
    keep_only(now);
}

void service_watch::keep_only(const std::vector<std::pair<endpoint, endpoint>>& now) {
    const auto left = std::erase_if(instances_, [&](const auto& each) {
        const bool stays = std::ranges::find(now, each->address, [](const auto& pair) {
                               return pair.first;
                           }) != now.end();
        each->gone = !stays;
        if (!stays) {
            each->healthy.set(0);
            logger_.info("upstream.gone",
                         {{"upstream", name_}, {"instance", url_of(each->address)}});
        }
        return !stays;
    });
    bool changed = left > 0;
    for (const auto& [address, admin] : now) {
        if (std::ranges::find(instances_, address,
                              [](const auto& each) { return each->address; }) != instances_.end()) {
            continue;
        }
        auto made = std::make_shared<instance>();
        made->address = address;
        made->admin = admin;
        http::client_settings settings;
        settings.base_url = url_of(admin);
        settings.name = name_ + "-admin";
        settings.connections_max = 2;
        settings.body_max = std::size_t{64} * 1024;
        made->client = std::make_unique<http::client>(settings, loop_, metrics_);
        made->healthy = metrics_.gauge(
            "gateway_upstream_healthy", "1 when /readyz says yes",
            {{"upstream", name_},
             {"instance", fmt::format("{}:{}", address.address().to_string(), address.port())}});
        instances_.push_back(made);
        fresh_.push_back(made);
        changed = true;
    }
    if (changed) {
        std::vector<endpoint> addresses;
        addresses.reserve(instances_.size());
        for (const auto& each : instances_) {
            addresses.push_back(each->address);
        }
        told_.on_instances(addresses);
    }
}

/// Keeps itself alive: the watch may be gone before its last question is answered.
asio::awaitable<void> service_watch::watch(std::shared_ptr<service_watch> self,
                                           std::shared_ptr<instance> which) {
    bool first = true;
    while (!which->gone) {
        http::client::call what;
        what.target = "/readyz";
        what.timeout = check_timeout;
        auto asking = which->client->send(std::move(what));
        const auto answer = co_await std::move(asking);
        const bool ready = answer && answer->status == 200;
        if (!which->gone && (ready != which->ready || first)) {
            const bool changed = ready != which->ready;
            which->ready = ready;
            which->healthy.set(ready ? 1 : 0);
            if (changed) {
                told_.on_ready(which->address, ready);
                logger_.info(ready ? "upstream.ready" : "upstream.not_ready",
                             {{"upstream", name_}, {"instance", url_of(which->address)}});
            }
            first = false;
        }
        co_await async::sleep_for(check_period);
    }
}

asio::awaitable<void> service_watch::run(async::task_group& tasks) {
    while (!stopped_) {
        co_await resolve_all();
        for (auto& each : fresh_) {
            if (!asks_readyz_) {
                each->healthy.set(1);
                continue;
            }
            tasks.spawn("health-" + name_, watch(shared_from_this(), each));
        }
        fresh_.clear();
        co_await changed_.wait_for(resolve_period);
    }
}

} // namespace relais::gateway
