#include "gateway/listeners/listener_security.hpp"

namespace relais::gateway {

listener_security::listener_security(const listener_settings& settings, surroundings given)
    : name_(settings.name), given_(std::move(given)) {
    settings_.version_min = settings.version_min;
    settings_.alpn = settings.alpn;
    reloads("accepted");
    reloads("refused");
}

bool listener_security::fits(const listener_settings& settings) const {
    return settings_.version_min == settings.version_min && settings_.alpn == settings.alpn;
}

metrics::counter listener_security::reloads(const char* result) {
    return given_.metrics.counter("gateway_certificate_reloads_total",
                                  "Certificates read again, by outcome",
                                  {{"listener", name_}, {"result", result}});
}

std::vector<error> listener_security::use(const std::vector<certificate_files>& files) {
    if (watch_ != nullptr && files == files_) {
        return {};
    }
    const auto before = std::exchange(files_, files);
    // The stamps are from before the reading: what changes meanwhile is seen by the next look.
    auto watch = std::make_unique<certificate_watch>(
        [this](const watch_outcome& outcome) { report(outcome); });
    watch->add(name_, file_names(files_), [this] { return load(); });
    auto problems = load();
    if (!problems.empty()) {
        files_ = before;
        return problems;
    }
    watch_ = std::move(watch);
    if (server_ == nullptr) {
        server_ =
            std::make_unique<tls_server>(settings_, certificates_, given_.ticket_keys, given_.time);
    }
    return {};
}

std::vector<error> listener_security::load() {
    auto loaded = certificate_store::load(files_, given_.time.now());
    if (!loaded) {
        return std::move(loaded.error());
    }
    certificates_.publish(std::move(*loaded));
    return {};
}

void listener_security::report(const watch_outcome& outcome) {
    reloads(outcome.accepted ? "accepted" : "refused").increment();
    if (outcome.accepted) {
        given_.logger.info("certificates.accepted", {{"listener", name_}});
    }
    for (const auto& problem : outcome.problems) {
        given_.logger.error(
            "certificates.refused",
            {{"listener", name_}, {"error", problem.slug}, {"problem", problem.detail}});
    }
}

void listener_security::look() {
    if (watch_ != nullptr) {
        watch_->look();
    }
}

const std::vector<certificate_facts>& listener_security::certificates() const {
    return certificates_.current()->certificates();
}

const tls_server& listener_security::server() {
    return *server_;
}

} // namespace relais::gateway
