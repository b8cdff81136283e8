#pragma once

#include "gateway/listeners/listener_settings.hpp"
#include "gateway/tls/certificate_watch.hpp"
#include "log/logger.hpp"
#include "metrics/registry.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// What a TLS listener shows and how it speaks: certificates, which follow their files, and the
/// server that all loops share. Control thread; outlives the loops.
class listener_security {
public:
    struct surroundings {
        const published<ticket_key_set>& ticket_keys;
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
    };

    listener_security(const listener_settings& settings, surroundings given);

    /// At first, and with other files. What is wrong, or nothing; the certificates before stay in
    /// force then.
    std::vector<error> use(const std::vector<certificate_files>& files);

    /// Loads the certificates again when their files changed.
    void look();

    /// Those in force.
    const std::vector<certificate_facts>& certificates() const;

    /// Only after certificates were loaded once.
    const tls_server& server();

    /// Whether other settings of TLS ask for another one of these.
    bool fits(const listener_settings& settings) const;

private:
    std::vector<error> load();
    void report(const watch_outcome& outcome);
    metrics::counter reloads(const char* result);

    std::string name_;
    tls_server_settings settings_;
    surroundings given_;
    std::vector<certificate_files> files_;
    published<certificate_store> certificates_;
    std::unique_ptr<certificate_watch> watch_;
    std::unique_ptr<tls_server> server_;
};

} // namespace relais::gateway
