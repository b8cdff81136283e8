#include "gateway/upstream/service.hpp"

#include "config/reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds connect_timeout{1'000};
constexpr std::size_t idle_per_instance_max = 64;

std::string text_of(const boost::asio::ip::tcp::endpoint& address) {
    return config::endpoint{address.address().to_string(), address.port()}.text();
}

} // namespace

service::service(edge_loop& loop, service_settings settings, service_metrics metrics,
                 name_table& instance_names)
    : loop_(loop), settings_(std::move(settings)), metrics_(std::move(metrics)),
      instance_names_(instance_names) {}

service::~service() = default;

void service::set_instances(const std::vector<boost::asio::ip::tcp::endpoint>& now) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
        auto& place = places_[i];
        if (!place.gone && std::ranges::find(now, place.address) == now.end()) {
            place.gone = true;
            balancer_.remove(i);
            while (!place.idle.empty()) {
                lose(*place.idle.back());
            }
        }
    }
    for (const auto& address : now) {
        const auto same = [&](const per_instance& each) {
            return !each.gone && each.address == address;
        };
        if (std::ranges::any_of(places_, same)) {
            continue;
        }
        // The place of one that left, once nothing runs on it any more.
        auto place = std::ranges::find_if(
            places_, [](const auto& each) { return each.gone && each.connections == 0; });
        if (place == places_.end()) {
            place = places_.insert(places_.end(), per_instance());
        }
        *place = per_instance();
        place->address = address;
        place->label = instance_names_.index_of(text_of(address));
        balancer_.add(static_cast<std::size_t>(place - places_.begin()), true);
    }
}

void service::report_ready(const boost::asio::ip::tcp::endpoint& where, bool ready) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
        auto& place = places_[i];
        if (place.gone || place.address != where) {
            continue;
        }
        balancer_.report_ready(i, ready, loop_.now());
        if (ready) {
            circuit_.encourage();
        }
        // It is leaving: a request on one of these could meet its closing.
        while (!ready && !place.idle.empty()) {
            lose(*place.idle.back());
        }
    }
}

bool service::acquire(connection_user& who, const wish& what) {
    if (in_flight_ >= settings_.in_flight_max) {
        if (what.now_or_never || waiting_.size() >= settings_.waiting_max) {
            return false;
        }
        waiting_.push_back(&who);
        return true;
    }
    ++in_flight_;
    if (!what.now_or_never) {
        retries_left_ = std::min(retries_left_ + retries_share, retries_reserve);
    }
    const auto which = balancer_.choose(loop_.now(), loop_.random(), what.not_these);
    if (which == balancer::none) {
        --in_flight_;
        who.on_connect_failed(which);
        return true;
    }
    balancer_.begin(which);
    upstream_connection* idle = what.fresh ? nullptr : take_idle(which, what.careful);
    if (idle != nullptr) {
        metrics_.reuses.increment();
        who.on_connection(*idle);
    } else {
        open(which, who);
    }
    return true;
}

void service::give_up(connection_user& who) {
    std::erase(waiting_, &who);
    for (auto& each : connecting_) {
        if (each.who == &who) {
            each.who = nullptr;
        }
    }
}

upstream_connection* service::take_idle(std::size_t instance, bool careful) {
    auto& idle = places_[instance].idle;
    while (!idle.empty()) {
        auto* last = idle.back();
        idle.pop_back();
        if (!careful || last->is_quiet()) {
            return last;
        }
        bury(*last);
    }
    return nullptr;
}

void service::open(std::size_t instance, connection_user& who) {
    auto made = std::make_unique<upstream_connection>(loop_, *this, instance);
    auto& connection = *made;
    connection.place = all_.size();
    all_.push_back(std::move(made));
    ++places_[instance].connections;
    metrics_.connects.increment();
    connecting_.push_back({&connection, &who, loop_.now()});
    connection.connect(places_[instance].address, connect_timeout,
                       security_for(places_[instance].address));
}

void service::on_connected(upstream_connection& which, const boost::system::error_code& failed) {
    const auto found = std::ranges::find(connecting_, &which, &pending_connect::connection);
    const auto pending = *found;
    *found = connecting_.back();
    connecting_.pop_back();
    const auto instance = which.instance();
    const auto now = loop_.now();
    if (failed) {
        metrics_.connect_failures.increment();
        note_failed_handshake(which);
        if (failed == boost::asio::error::address_in_use ||
            failed.value() == EADDRNOTAVAIL) { // no local port is left: not the instance's fault
            metrics_.ports_exhausted.increment();
        } else {
            balancer_.report_connect_failure(instance, now);
        }
        balancer_.end(instance);
        bury(which);
        leave();
        if (pending.who != nullptr) {
            pending.who->on_connect_failed(instance);
        }
        return;
    }
    which.note_connect_time(now - pending.began);
    if (pending.who != nullptr) {
        pending.who->on_connection(which);
        return;
    }
    balancer_.end(instance);
    places_[instance].idle.push_back(&which); // nobody wants it now; somebody will
    leave();
}

void service::give_back_place(upstream_connection& used) {
    if (!std::exchange(used.place_given_back, true)) {
        balancer_.end(used.instance());
        leave();
    }
}

bool service::still_counts(upstream_connection& used) {
    return !std::exchange(used.place_given_back, false);
}

void service::release(upstream_connection& used, std::optional<std::chrono::nanoseconds> took) {
    const auto instance = used.instance();
    auto& place = places_[instance];
    const bool counts = still_counts(used);
    if (counts) {
        balancer_.end(instance);
    }
    if (took) {
        balancer_.report_success(instance, *took, loop_.now());
    }
    const bool wanted = !place.gone && balancer_.look(instance, {}).ready &&
                        place.idle.size() < idle_per_instance_max;
    if (used.end() && wanted) {
        place.idle.push_back(&used);
    } else {
        bury(used);
    }
    if (counts) {
        leave();
    }
}

void service::drop(upstream_connection& used) {
    const bool counts = still_counts(used);
    if (counts) {
        balancer_.end(used.instance());
    }
    bury(used);
    if (counts) {
        leave();
    }
}

bool service::may_retry() {
    const bool may = spend_retry();
    (may ? metrics_.retries : metrics_.retries_refused).increment();
    return may;
}

bool service::may_hedge() {
    const bool may = spend_retry();
    (may ? metrics_.hedges : metrics_.hedges_refused).increment();
    return may;
}

bool service::spend_retry() {
    if (retries_left_ < 1) {
        return false;
    }
    retries_left_ -= 1;
    return true;
}

void service::report_failure(std::size_t instance) {
    balancer_.report_failure(instance, loop_.now());
}

void service::report_waiting(std::size_t instance, std::chrono::nanoseconds so_far) {
    balancer_.report_waiting(instance, so_far, loop_.now());
}

/// An exchange is over: whoever waits longest takes its turn.
void service::leave() {
    --in_flight_;
    if (!waiting_.empty() && in_flight_ < settings_.in_flight_max) {
        auto* first = waiting_.front();
        waiting_.pop_front();
        first->on_turn();
    }
}

void service::lose(upstream_connection& which) {
    std::erase(places_[which.instance()].idle, &which);
    bury(which);
}

void service::bury(upstream_connection& which) {
    --places_[which.instance()].connections;
    const auto place = which.place;
    auto dead = std::move(all_[place]);
    if (place + 1 != all_.size()) {
        all_[place] = std::move(all_.back());
        all_[place]->place = place;
    }
    all_.pop_back();
    dead->close();
    loop_.bury(std::move(dead));
}

bool service::has_usable() const {
    return balancer_.ready_count() > 0;
}

} // namespace relais::gateway
