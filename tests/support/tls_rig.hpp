#pragma once

#include "gateway/tls/tls_server.hpp"
#include "support/tls_certificates.hpp"
#include "support/tls_peer.hpp"

#include <catch2/catch_test_macros.hpp>

#include <optional>

namespace relais::test {

inline gateway::certificate_files files_of(const certificate_pair& pair) {
    return {pair.chain_file, pair.key_file};
}

inline std::shared_ptr<const gateway::certificate_store>
load_store(const std::vector<gateway::certificate_files>& files) {
    auto loaded = gateway::certificate_store::load(files, system_clock().now());
    REQUIRE(loaded.has_value());
    return *loaded;
}

/// A TLS server on one loop: `one.example` (ECDSA), unless other certificates are given.
struct tls_rig {
    explicit tls_rig(gateway::tls_server_settings given = {}) : settings(std::move(given)) {
        publish({authority.issue("one", {.dns_names = {"one.example"}})});
    }

    void publish(const std::vector<certificate_pair>& pairs) {
        std::vector<gateway::certificate_files> files;
        for (const auto& each : pairs) {
            files.push_back(files_of(each));
        }
        certificates.publish(load_store(files));
    }

    /// Makes the server at the first call, so that a test can settle things before.
    gateway::tls_session accept(const socket_pair& sockets) {
        if (!acceptor) {
            server.emplace(settings, certificates, keys.keys(), time);
            acceptor.emplace(*server);
        }
        return acceptor->accept(sockets.ours());
    }

    /// A whole handshake with this client; what our side said last.
    gateway::tls_outcome meet(tls_peer_client& client, const std::string& server_name = "") {
        const socket_pair sockets;
        auto session = accept(sockets);
        client.connect(sockets.theirs(), server_name);
        return shake_hands(session, client);
    }

    certificate_folder folder;
    certificate_authority authority{folder, "authority"};
    manual_clock time{system_clock().now()};
    gateway::tls_server_settings settings;
    gateway::published<gateway::certificate_store> certificates;
    gateway::ticket_keys keys{{}, time};
    std::optional<gateway::tls_server> server;
    std::optional<gateway::tls_acceptor> acceptor;
};

/// Both ends of an established connection.
struct tls_pair {
    explicit tls_pair(tls_rig& rig, const peer_settings& settings = {})
        : theirs(settings), ours(rig.accept(sockets)) {
        theirs.connect(sockets.theirs());
        REQUIRE(shake_hands(ours, theirs).status == gateway::tls_status::done);
    }

    socket_pair sockets;
    tls_peer_client theirs;
    gateway::tls_session ours;
};

} // namespace relais::test
