#pragma once

#include "gateway/listeners/listener_security.hpp"
#include "http/listening_socket.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace relais::gateway {

/// A certificate that a listener shows.
struct shown_certificate {
    std::string listener;
    certificate_facts facts;
};

/// All places where clients connect, as the configuration wants them: opened, closed and changed
/// without touching connections, which others accept. Control thread; outlives the loops, which use
/// what its listeners show.
class listener_set {
public:
    using wanted = std::vector<std::shared_ptr<const listener_settings>>;

    struct surroundings {
        const clock& time;
        metrics::registry& metrics;
        log::logger logger;
        http::socket_shelf& sockets; ///< where a process that goes before leaves its own
        /// Listeners are known by numbers, which are never used again. The descriptor stays the
        /// set's.
        std::function<void(std::size_t listener, int descriptor)> on_open;
        /// Nobody accepts from it any more, when `done` is called, on the control thread.
        std::function<void(std::size_t listener, std::function<void()> done)> on_close;
        /// What the set accepts itself, before it closes its socket.
        std::function<void(std::size_t listener, int descriptor,
                           const boost::asio::ip::tcp::endpoint& peer)>
            on_connection;
        /// Before the first connection, and after each change. No server: without TLS.
        std::function<void(std::size_t listener, std::shared_ptr<const listener_settings>,
                           const tls_server*)>
            on_change;
    };

    listener_set(ticket_key_settings keys, surroundings given);
    ~listener_set();

    /// Opens all of them; may be called again after an error. Begins to accept once all are open.
    result<void> start(const wanted& first);

    /// From now on these. One that cannot be opened, or whose certificates do not fit, is logged
    /// and tried again; others are not kept from working.
    void use(const wanted& now);
    /// And these keys of tickets; a file that cannot be used is logged and tried again.
    void use(const ticket_key_settings& keys);

    /// Of listeners that are open, by listener and file.
    std::vector<shown_certificate> certificates() const;

    /// Every second: certificates and ticket keys are followed, what failed is tried again.
    void look();

    void close();

    /// With an errno.
    void count_failed_accept(int error);

private:
    struct place;

    result<place*> prepare(const std::shared_ptr<const listener_settings>& settings);
    result<void> set_up(place& which, std::shared_ptr<const listener_settings> settings);
    result<void> secure(place& which, const listener_settings& settings);
    result<void> begin_keys();
    void follow_keys();
    place* find(const std::string& name);
    void try_all();
    void accept_on(place& which);
    void close(place& which);
    void finish(place& which);
    bool take_waiting(const place& which);

    ticket_key_settings key_settings_; ///< wanted
    surroundings given_;
    metrics::counter accept_errors_;
    std::optional<ticket_keys> keys_; ///< once somebody speaks TLS
    wanted wanted_;
    std::vector<std::unique_ptr<place>> places_; ///< also those that are closed: tasks end later
    std::vector<std::unique_ptr<listener_security>> replaced_; ///< sessions may use them
    bool running_ = false;
    bool closed_ = false;
};

} // namespace relais::gateway
