#include "gateway/upstream/service_watches.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

boost::asio::awaitable<void> run(std::shared_ptr<service_watch> which, async::task_group& tasks) {
    co_await which->run(tasks);
}

} // namespace

service_watches::service_watches(audience told, boost::asio::io_context& loop,
                                 async::task_group& tasks, metrics::registry& metrics,
                                 log::logger logger)
    : told_(std::move(told)), loop_(loop), tasks_(tasks), metrics_(metrics),
      logger_(std::move(logger)) {}

void service_watches::use(const std::vector<upstream_service>& services) {
    std::erase_if(watches_, [&](const auto& each) {
        const auto named = std::ranges::find(services, each->name(), &upstream_service::name);
        const bool gone = named == services.end() || named->always_ready == each->asks_readyz();
        if (gone) {
            each->stop();
        }
        return gone;
    });
    for (const auto& wanted : services) {
        const auto known = std::ranges::find_if(
            watches_, [&](const auto& each) { return each->name() == wanted.name; });
        if (known != watches_.end()) {
            (*known)->set_targets(wanted.targets);
            continue;
        }
        service_watch::audience told{
            [this, name = wanted.name](const std::vector<service_watch::endpoint>& instances) {
                told_.on_instances(name, instances);
            },
            [this, name = wanted.name](const service_watch::endpoint& where, bool ready) {
                told_.on_ready(name, where, ready);
            }};
        watches_.push_back(
            std::make_shared<service_watch>(wanted, std::move(told), loop_, metrics_, logger_));
        tasks_.spawn("watch-" + wanted.name, run(watches_.back(), tasks_));
    }
}

bool service_watches::has_ready(const std::string& service) const {
    return std::ranges::any_of(
        watches_, [&](const auto& each) { return each->name() == service && each->has_ready(); });
}

} // namespace relais::gateway
