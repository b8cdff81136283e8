#include "gateway/upstream/upstream_clients.hpp"

#include <algorithm>
#include <stdexcept>

namespace relais::gateway {

struct upstream_clients::entry {
    std::string service;
    std::optional<upstream_security> settings; ///< in force
    std::unique_ptr<tls_client> client;
    std::unique_ptr<certificate_watch> watch;
};

upstream_clients::upstream_clients(tell on_change, const clock& time, metrics::registry& metrics,
                                   log::logger logger)
    : tell_(std::move(on_change)), time_(time), metrics_(metrics), logger_(std::move(logger)) {}

upstream_clients::~upstream_clients() = default;

void upstream_clients::use(const std::vector<upstream_service>& services) {
    for (const auto& each : services) {
        set_up(each);
    }
}

void upstream_clients::set_up(const upstream_service& service) {
    auto found =
        std::ranges::find(entries_, service.name, [](const auto& each) { return each->service; });
    if (found == entries_.end()) {
        entries_.push_back(std::make_unique<entry>());
        found = entries_.end() - 1;
        (*found)->service = service.name;
    }
    auto& at = **found;
    if (at.settings == service.security) {
        tell_(at.service, at.client.get(), at.settings ? at.settings->server_name : "");
        return;
    }
    std::unique_ptr<tls_client> made;
    try {
        if (service.security) {
            made = std::make_unique<tls_client>(service.security->tls, time_);
        }
    } catch (const std::runtime_error& failed) {
        logger_.error("upstream.certificates_refused",
                      {{"upstream", service.name}, {"problem", failed.what()}});
        return;
    }
    if (at.client != nullptr) {
        replaced_.push_back(std::move(at.client));
    }
    at.settings = service.security;
    at.client = std::move(made);
    at.watch = at.client != nullptr ? watch_over(service.name, *at.client) : nullptr;
    tell_(at.service, at.client.get(), at.settings ? at.settings->server_name : "");
}

std::unique_ptr<certificate_watch> upstream_clients::watch_over(const std::string& name,
                                                                tls_client& client) {
    const auto reloads = [this, name](const char* result) {
        return metrics_.counter("gateway_upstream_certificate_reloads_total",
                                "Certificates for services read again, by outcome",
                                {{"upstream", name}, {"result", result}});
    };
    auto watch = std::make_unique<certificate_watch>(
        [this, name, accepted = reloads("accepted"),
         refused = reloads("refused")](const watch_outcome& outcome) {
            (outcome.accepted ? accepted : refused).increment();
            for (const auto& problem : outcome.problems) {
                logger_.error("upstream.certificates_refused",
                              {{"upstream", name}, {"problem", problem.detail}});
            }
        });
    watch->add(name, client.files(), [&client]() -> std::vector<error> {
        const auto loaded = client.reload();
        return loaded ? std::vector<error>() : loaded.error();
    });
    return watch;
}

void upstream_clients::look() {
    for (const auto& each : entries_) {
        if (each->watch != nullptr) {
            each->watch->look();
        }
    }
}

} // namespace relais::gateway
