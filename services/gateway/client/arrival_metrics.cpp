#include "gateway/client/arrival_metrics.hpp"

namespace relais::gateway {
namespace {

constexpr std::array<std::string_view, 5> words{"timeout", "closed", "proxy_header",
                                                "untrusted_peer", "refused"};

metrics::counter handshakes(metrics::registry& metrics, const std::string& result,
                            const std::string& version, const std::string& resumed) {
    return metrics.counter("gateway_tls_handshakes_total", "TLS handshakes with clients",
                           {{"result", result}, {"version", version}, {"resumed", resumed}});
}

} // namespace

arrival_metrics::arrival_metrics(metrics::registry& metrics)
    : secured_{handshakes(metrics, "done", "TLSv1.2", "no"),
               handshakes(metrics, "done", "TLSv1.2", "yes"),
               handshakes(metrics, "done", "TLSv1.3", "no"),
               handshakes(metrics, "done", "TLSv1.3", "yes")} {
    const auto count = [&](std::string_view reason) {
        return metrics.counter("gateway_arrival_failures_total",
                               "Connections that ended before HTTP began, by reason",
                               {{"reason", std::string(reason)}});
    };
    for (std::size_t i = 1; i < failures; ++i) {
        tls_failures_[i] = count(to_string(static_cast<tls_failure>(i)));
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
        failures_[i] = count(words[i]);
    }
}

void arrival_metrics::secured(const tls_facts& how) {
    const std::size_t version = how.version == "TLSv1.3" ? 2 : 0;
    secured_[version + (how.resumed ? 1 : 0)].increment();
}

void arrival_metrics::failed(tls_failure why) {
    tls_failures_[static_cast<std::size_t>(why)].increment();
}

void arrival_metrics::failed(arrival_failure why) {
    failures_[static_cast<std::size_t>(why)].increment();
}

} // namespace relais::gateway
