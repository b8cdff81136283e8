#include "gateway/listeners/listener_set.hpp"

#include <algorithm>
#include <map>
#include <poll.h>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace relais::gateway {
namespace {

/// A client that was answered has sent the last packet of its handshake within this time, or it is
/// far away, and may be reset.
constexpr int last_packet_within_ms = 20;

bool somebody_comes(int listening) {
    pollfd one{.fd = listening, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, last_packet_within_ms) > 0;
}

} // namespace

struct listener_set::place {
    place(std::size_t which, const surroundings& given) : number(which), socket(&given.sockets) {}

    std::size_t number;
    std::shared_ptr<const listener_settings> settings; ///< in force
    std::unique_ptr<listener_security> security;
    http::listening_socket socket;
    bool accepting = false;
    bool gone = false;
};

listener_set::listener_set(ticket_key_settings keys, surroundings given)
    : key_settings_(std::move(keys)), given_(std::move(given)),
      accept_errors_(given_.metrics.counter("http_server_accept_errors_total",
                                            "Connections that could not be accepted")) {}

listener_set::~listener_set() = default;

result<void> listener_set::start(const wanted& first) {
    wanted_ = first;
    for (const auto& each : first) {
        auto at = prepare(each);
        if (!at) {
            return std::unexpected(std::move(at.error()));
        }
    }
    running_ = true;
    for (const auto& each : places_) {
        accept_on(*each);
    }
    return {};
}

void listener_set::use(const wanted& now) {
    wanted_ = now;
    for (const auto& each : places_) {
        const bool stays = std::ranges::any_of(
            now, [&](const auto& one) { return one->name == each->settings->name; });
        if (!stays) {
            close(*each);
        }
    }
    try_all();
}

void listener_set::use(const ticket_key_settings& keys) {
    if (key_settings_ == keys) {
        return;
    }
    key_settings_ = keys;
    given_.logger.info("ticket_keys.changed",
                       {{"file", keys.file}, {"rotate_every_s", keys.rotate_every.count()}});
    follow_keys();
}

void listener_set::follow_keys() {
    if (!keys_) {
        return; // begun with the first listener that speaks TLS
    }
    auto followed = keys_->use(key_settings_);
    const auto refreshed =
        keys_->refresh(); // by the settings before, where the new ones are no good
    if (followed && !refreshed) {
        followed = fail(refreshed);
    }
    if (!followed && followed.error().kind != error_kind::unavailable) {
        given_.logger.warn("ticket_keys.not_refreshed", {{"detail", followed.error().detail}});
    }
}

void listener_set::try_all() {
    for (const auto& each : wanted_) {
        const auto* known = find(each->name);
        if (known != nullptr && known->settings == each) {
            continue;
        }
        const auto at = prepare(each);
        if (at) {
            accept_on(**at);
        } else {
            given_.logger.error("listener.refused", {{"listener", each->name},
                                                     {"error", at.error().slug},
                                                     {"detail", at.error().detail}});
        }
    }
}

/// A new place is kept only once it stands.
result<listener_set::place*>
listener_set::prepare(const std::shared_ptr<const listener_settings>& settings) {
    auto* at = find(settings->name);
    const bool is_new = at == nullptr;
    if (is_new) {
        places_.push_back(std::make_unique<place>(places_.size(), given_));
        at = places_.back().get();
    }
    auto ready = set_up(*at, settings);
    if (!ready) {
        if (is_new) {
            places_.pop_back();
        }
        return std::unexpected(std::move(ready.error()));
    }
    return at;
}

result<void> listener_set::set_up(place& which, std::shared_ptr<const listener_settings> settings) {
    if (settings->protocol == listener_protocol::https) {
        auto secured = secure(which, *settings);
        if (!secured) {
            return secured;
        }
    }
    auto opened = which.socket.open(settings->address);
    if (!opened) {
        return opened;
    }
    which.settings = settings;
    const bool has_tls = settings->protocol == listener_protocol::https;
    given_.on_change(which.number, std::move(settings),
                     has_tls ? &which.security->server() : nullptr);
    return {};
}

result<void> listener_set::secure(place& which, const listener_settings& settings) {
    auto begun = begin_keys();
    if (!begun) {
        return begun;
    }
    std::unique_ptr<listener_security> made;
    if (which.security == nullptr || !which.security->fits(settings)) {
        made = std::make_unique<listener_security>(
            settings, listener_security::surroundings{keys_->keys(), given_.time, given_.metrics,
                                                      given_.logger});
    }
    auto& security = made != nullptr ? *made : *which.security;
    const auto problems = security.use(settings.certificates);
    if (!problems.empty()) {
        return std::unexpected(problems.front());
    }
    if (made != nullptr && which.security != nullptr) {
        replaced_.push_back(std::exchange(which.security, nullptr));
    }
    if (made != nullptr) {
        which.security = std::move(made);
    }
    return {};
}

result<void> listener_set::begin_keys() {
    if (!keys_) {
        try {
            keys_.emplace(key_settings_, given_.time);
        } catch (const std::runtime_error& failed) {
            return fail(error_kind::invalid, "broken-ticket-keys", failed.what());
        }
    }
    return {};
}

/// Of those that are not on their way out.
listener_set::place* listener_set::find(const std::string& name) {
    const auto found = std::ranges::find_if(
        places_, [&](const auto& each) { return !each->gone && each->settings->name == name; });
    return found != places_.end() ? found->get() : nullptr;
}

void listener_set::accept_on(place& which) {
    if (!running_ || which.accepting || which.gone) {
        return;
    }
    which.accepting = true;
    given_.on_open(which.number, which.socket.descriptor());
}

void listener_set::close(place& which) {
    if (std::exchange(which.gone, true)) {
        return; // it may still be at it
    }
    if (which.accepting) {
        given_.on_close(which.number, [this, &which] { finish(which); });
    } else {
        which.socket.close();
    }
}

/// Nobody who got as far as a connection is reset: first no new ones are begun, then those that
/// wait are taken, and those whose last packet is on its way. (Another process that has the socket,
/// too, accepts them.)
void listener_set::finish(place& which) {
    if (!which.socket.given_away()) {
        which.socket.stop_new();
        take_waiting(which);
        while (somebody_comes(which.socket.descriptor()) && take_waiting(which)) {}
    }
    which.socket.close();
}

/// Whether there was anybody.
bool listener_set::take_waiting(const place& which) {
    boost::asio::ip::tcp::endpoint peer;
    int descriptor = -1;
    bool any = false;
    while ((descriptor = http::accept_from(which.socket.descriptor(), peer)) >= 0) {
        given_.on_connection(which.number, descriptor, peer);
        any = true;
    }
    return any;
}

std::vector<shown_certificate> listener_set::certificates() const {
    std::map<std::pair<std::string, std::string>, certificate_facts> all;
    for (const auto& each : places_) {
        if (each->security == nullptr || each->gone ||
            each->settings->protocol != listener_protocol::https) {
            continue;
        }
        for (const auto& one : each->security->certificates()) {
            all.insert_or_assign({each->settings->name, one.chain_file}, one);
        }
    }
    std::vector<shown_certificate> out;
    out.reserve(all.size());
    for (const auto& [where, facts] : all) {
        out.push_back({where.first, facts});
    }
    return out;
}

void listener_set::look() {
    if (!running_ || closed_) {
        return;
    }
    try_all();
    for (const auto& each : places_) {
        if (each->security != nullptr && !each->gone) {
            each->security->look();
        }
    }
    follow_keys();
}

void listener_set::close() {
    closed_ = true;
    for (const auto& each : places_) {
        close(*each);
    }
}

void listener_set::count_failed_accept(int error) {
    accept_errors_.increment();
    given_.logger.warn("http.accept_failed", {{"error", std::system_category().message(error)}});
}

} // namespace relais::gateway
