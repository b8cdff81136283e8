#pragma once

#include "gateway/listeners/listener_settings.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace relais::gateway {

/// A listener as one event loop sees it. It stays where it is for as long as the loop: connections
/// that came through it know it.
struct door {
    /// Shared with the configuration it comes from, which may be gone before the connections are.
    std::shared_ptr<const listener_settings> rules;
    std::optional<tls_acceptor> acceptor; ///< of listeners with TLS
    const tls_server* server = nullptr;   ///< the acceptor's
    /// What was replaced: sessions may use them to their end, and a listener whose versions of TLS
    /// or protocols change is rare.
    std::vector<tls_acceptor> replaced;

    void use(std::shared_ptr<const listener_settings> now, const tls_server* security) {
        rules = std::move(now);
        if (security == server) {
            return;
        }
        if (acceptor) {
            replaced.push_back(std::move(*acceptor));
            acceptor.reset();
        }
        server = security;
        if (server != nullptr) {
            acceptor.emplace(*server);
        }
    }
};

} // namespace relais::gateway
