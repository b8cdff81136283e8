#include "gateway/client/arrival.hpp"

#include "gateway/client_address/proxy_protocol.hpp"

#include <algorithm>
#include <array>

namespace relais::gateway {
namespace {

constexpr std::chrono::milliseconds patience_at_the_end{1'000};

} // namespace

arrival::arrival(edge_loop& loop, arrival_owner& owner, arrival_metrics& metrics, door& through,
                 int descriptor, client_info info)
    : owner_(owner), metrics_(metrics), door_(through), channel_(loop, descriptor, *this),
      timer_(loop.timers(), *this, timer_wheel::calls<&arrival::on_timeout>{}),
      info_(std::move(info)) {}

arrival::~arrival() = default;

void arrival::start() {
    timer_.set_after(door_.rules->handshake_timeout);
    const bool trusted = owner_.is_trusted(info_.peer);
    if (door_.rules->proxy == proxy_policy::required && !trusted) {
        lose(arrival_failure::untrusted_peer);
    } else if (door_.rules->proxy != proxy_policy::off && trusted) {
        channel_.await_bytes();
    } else {
        begin();
    }
}

void arrival::start_refused(const error& /*why*/) {
    lose(arrival_failure::refused);
}

void arrival::close_idle() {
    timer_.set_after(std::min(door_.rules->handshake_timeout, patience_at_the_end));
}

void arrival::on_bytes(std::size_t /*count*/) {
    if (take_proxy_header()) {
        begin();
    } else if (!over_) {
        channel_.await_bytes();
    }
}

/// Looks at what is there before it takes it: as long as the header is not whole, all of it is
/// header, and then exactly its rest.
bool arrival::take_proxy_header() {
    constexpr proxy_protocol_limits limits;
    constexpr std::size_t head_bytes = 16;
    std::array<char, head_bytes + limits.block_bytes_max> piece{};
    const auto count = channel_.receive(piece, true);
    if (count < 0) {
        lose(arrival_failure::closed);
        return false;
    }
    const auto before = header_.size();
    header_.append(piece.data(), static_cast<std::size_t>(count));
    proxy_header header;
    const auto taken = parse_proxy_header(header_, limits, header);
    if (!taken) {
        lose(arrival_failure::proxy_header);
        return false;
    }
    const auto whole = *taken > 0 ? *taken : header_.size();
    channel_.receive(std::span(piece).first(whole - before), false);
    if (*taken == 0) {
        return false;
    }
    header_ = {};
    info_.peer = header.peer(info_.peer);
    info_.address = info_.peer.to_string();
    info_.encrypted = header.over_tls;
    return true;
}

/// The other end is known. Whoever is refused is told so by HTTP, but gets no handshake, which
/// would cost us more than the refusal spares.
void arrival::begin() {
    const auto refused = owner_.admit(*this, info_.peer);
    if (door_.rules->protocol != listener_protocol::https) {
        wire_ = door_.rules->protocol == listener_protocol::h2c ? client_wire::http2
                                                                : client_wire::http1;
        arrive(refused);
    } else if (refused) {
        lose(arrival_failure::refused);
    } else {
        channel_.secure([this](int descriptor) { return door_.acceptor->accept(descriptor); });
    }
}

void arrival::on_connected(const boost::system::error_code& /*failed*/) {
    const auto outcome = channel_.handshake();
    if (outcome.status == tls_status::done) {
        const auto facts = channel_.session()->facts();
        metrics_.secured(facts);
        info_.encrypted = true;
        info_.server_name = facts.server_name;
        wire_ = facts.alpn == "h2" ? client_wire::http2 : client_wire::http1;
        arrive(std::nullopt);
    } else if (outcome.status != tls_status::failed) {
        lose(arrival_failure::closed);
    } else {
        metrics_.failed(outcome.failure);
        if (outcome.failure != tls_failure::plain_http) {
            end();
            return;
        }
        // Its request is read as on a plain port, but only to be told where it belongs.
        channel_.give_up_security();
        info_.misplaced = true;
        arrive(std::nullopt);
    }
}

void arrival::on_end(bool /*orderly*/) {
    lose(arrival_failure::closed);
}

void arrival::on_timeout() {
    lose(arrival_failure::timeout);
}

void arrival::arrive(const std::optional<error>& refused) {
    over_ = true;
    timer_.clear();
    owner_.on_arrived(*this, refused);
}

void arrival::lose(arrival_failure why) {
    if (!over_) {
        metrics_.failed(why);
        end();
    }
}

void arrival::end() {
    over_ = true;
    timer_.clear();
    channel_.cut();
    owner_.on_lost(*this);
}

} // namespace relais::gateway
