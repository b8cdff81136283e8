#include "gateway/upstream/service.hpp"

#include <fmt/format.h>

// How a service's connections go through TLS.
namespace relais::gateway {
namespace {

constexpr std::chrono::seconds report_again_after{30};

} // namespace

void service::secure(const tls_client* by, const std::string& server_name,
                     report_failed_handshake report) {
    report_failed_handshake_ = std::move(report);
    if (by == secured_by_ && server_name == server_name_) {
        return;
    }
    secured_by_ = by;
    server_name_ = server_name;
    if (by != nullptr) {
        connectors_.push_back(std::make_unique<tls_connector>(*by));
    }
    for (auto& place : places_) { // nobody is surprised by what was agreed before
        while (!place.idle.empty()) {
            lose(*place.idle.back());
        }
    }
}

channel::make_session service::security_for(const boost::asio::ip::tcp::endpoint& where) {
    if (secured_by_ == nullptr) {
        return nullptr;
    }
    return [this, where](int descriptor) {
        return connectors_.back()->connect(
            descriptor, server_name_,
            fmt::format("{}:{}", where.address().to_string(), where.port()));
    };
}

/// Once, and again when it is another reason or has lasted: every request may try.
void service::note_failed_handshake(const upstream_connection& which) {
    const auto* session = which.session();
    const auto failure = which.handshake().failure;
    if (session == nullptr || failure == tls_failure::none) {
        return;
    }
    metrics_.handshakes_failed.increment();
    auto text = session->failure_text();
    const auto now = std::chrono::steady_clock::now();
    if (text != last_failure_ || now - failure_reported_ > report_again_after) {
        last_failure_ = text;
        failure_reported_ = now;
        report_failed_handshake_(name(), to_string(failure), std::move(text));
    }
}

} // namespace relais::gateway
