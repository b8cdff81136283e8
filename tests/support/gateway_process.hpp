#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>

namespace relais::test {

/// The real program, relais-gateway, on free ports. Killed at the end if it still runs.
class gateway_process {
public:
    /// Waits until it is ready. `routes` is the text of its routes file; variables are added to the
    /// environment (RELAIS_…).
    explicit gateway_process(const std::string& routes,
                             std::map<std::string, std::string> variables = {});
    /// Another one with the same addresses, routes and variables, while the first runs: ready when
    /// it has taken over. Give RELAIS_TAKEOVER_SOCKET.
    std::unique_ptr<gateway_process> start_successor() const;
    ~gateway_process();
    gateway_process(const gateway_process&) = delete;
    gateway_process& operator=(const gateway_process&) = delete;

    std::uint16_t port() const {
        return port_;
    }

    /// Where HTTP/2 is spoken by prior knowledge.
    std::uint16_t h2c_port() const {
        return h2c_port_;
    }

    std::uint16_t admin_port() const {
        return admin_port_;
    }

    /// GET on the admin listener.
    std::string admin(const std::string& path) const;

    /// What it wrote so far: log lines.
    std::string log() const;

    /// Waits until the log holds the text; false after ten seconds.
    bool wait_for_log(const std::string& text) const;

    /// The most memory it ever had, in bytes.
    std::size_t peak_memory_bytes() const;

    /// Replaces its routes file, in one step.
    void replace_routes(const std::string& routes) const;
    void hang_up() const;   ///< SIGHUP
    void terminate() const; ///< SIGTERM
    int wait();             ///< the exit code

    /// The Ed25519 public key that belongs to the private key it signs identities with.
    static std::string identity_public_key();

private:
    explicit gateway_process(const gateway_process* before);
    void start(const std::string& routes);
    bool is_ready() const;
    void end() const;

    std::string routes_;
    std::map<std::string, std::string> variables_;
    std::string folder_;
    std::uint16_t port_ = 0;
    std::uint16_t h2c_port_ = 0;
    std::uint16_t admin_port_ = 0;
    pid_t child_ = 0;
};

/// A routes file: upstream web-api at this URL with routes /v1 and /webhooks, and, when given,
/// upstream odd with route /odd. /readyz is asked of web-api's port for both.
std::string routes_for(std::uint16_t web_api, std::uint16_t odd = 0);

/// GET / POST … HTTP/1.1 to the gateway with these fields ("Name: value\r\n").
std::string request_text(const std::string& method, const std::string& target,
                         const std::string& fields = "", const std::string& body = "");

} // namespace relais::test
