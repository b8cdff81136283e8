#include "gateway/exchange/exchange.hpp"

#include "gateway/edge.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/identity/cookie_session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

// How a request begins: what it is, who asks, which instance gets it. What follows is in
// exchange_relay.cpp.
namespace relais::gateway {
namespace {

constexpr std::string_view bearer = "Bearer ";
constexpr std::chrono::milliseconds pause_between_tries{25};

/// A body counts by its size, but the largest not for ever.
std::int64_t weight_of(const http::request_head& head) {
    constexpr std::uint64_t unknown = std::uint64_t{1} << 20;
    constexpr std::uint64_t most = std::uint64_t{16} << 20;
    const auto bytes = head.framing == http::framing::chunked ? unknown : head.body_bytes;
    return static_cast<std::int64_t>(std::min(bytes, most));
}

} // namespace

exchange::exchange(edge& whose)
    : edge_(whose),
      timer_(whose.loop().timers(), *this, timer_wheel::calls<&exchange::on_timeout>{}),
      hedge_(*this) {}

void exchange::begin(client_side& client) {
    client_ = &client;
    plan_ = edge_.current_plan();
    upstream_ = nullptr;
    service_ = nullptr;
    route_ = nullptr;
    phase_ = phase::idle;
    record_ = {};
    record_.started = steady::now();
    sending_ = body_touched_ = body_last_ = answer_began_ = answer_out_ = answer_last_ = false;
    by_cookie_ = on_trial_ = false;
    may_reuse_ = true;
    failed_count_ = 0;
    body_weight_ = 0;
    limits_.begin();
    sent_at_ = sought_at_ = headed_at_ = {};
    answer_took_ = {};
}

void exchange::begin_request(const http::request_head& head) {
    record_.start = edge_.others().time.now();
    record_.tls = client_->info().encrypted;
    begin_record(record_, head);
    edge_.others().stats.request_began();
}

void exchange::on_request(const http::request_head& head) {
    head_ = &head;
    request_ = {head.method, head.framing == http::framing::chunked,
                head.framing != http::framing::none, ""};
    body_weight_ = weight_of(head);
    body_size_ = head.framing == http::framing::content_length ? head.body_bytes : 0;
    pace_.begin(record_.started);
    begin_request(head);
    const auto admitted = admit(head);
    if (!admitted) {
        refuse(admitted.error());
        return;
    }
    if (max_forwards(head) == 0) {
        auto answer = http::response::empty(204);
        answer.headers.set(
            "Allow", fmt::format("{}", fmt::join(plan_->routes->methods_at(head.path), ", ")));
        answer_here(answer);
        return;
    }
    authenticate();
}

/// Who asks for what: the client's address, its bans, the route and what it says at once.
result<void> exchange::admit(const http::request_head& head) {
    const auto& routes = *plan_->routes;
    const auto& info = client_->info();
    const auto from = client_address_of(info.peer, routes.addresses, head.fields);
    address_ = from.address;
    https_ = from.protocol ? *from.protocol == client_protocol::https : info.encrypted;
    address_text_ = address_ == info.peer ? std::string() : address_.to_string();
    if (address_.is_v4()) {
        record_.set_client(address_.to_v4().to_bytes());
    } else {
        record_.set_client(address_.to_v6().to_bytes());
    }
    if (edge_.is_banned(address_)) {
        return fail(error_kind::forbidden, "banned", "no requests from this address for now");
    }
    if (went_through_us(head)) {
        return fail(error_kind::internal, "loop-detected", "the request came through here before");
    }
    route_ = routes.find(head.path, head.method);
    if (route_ == nullptr) {
        return std::unexpected(no_route(routes, head));
    }
    service_ = plan_->services[route_->upstream].get();
    record_.route = plan_->route_label(*route_);
    record_.upstream = service_->label();
    until_ = record_.started + route_->deadline;
    auto limited =
        limits_.take_for_address(routes, *route_, edge_.limits(), address_, record_.started);
    if (!limited) {
        return limited;
    }
    return check_size(*route_, head);
}

void exchange::on_malformed(const error& why) {
    request_ = {"GET", false, false, ""};
    begin_request({});
    refuse(why);
}

void exchange::authenticate() {
    const auto given = head_->find("authorization");
    if (route_->credentials == credentials::forward || !given) {
        if (!authenticate_by_cookie()) {
            prepare(nullptr);
        }
        return;
    }
    if (!given->starts_with(bearer)) {
        refuse(
            {error_kind::unauthenticated, "invalid-token", "use a bearer token", "", std::nullopt});
        return;
    }
    identify(given->substr(bearer.size()));
}

/// False: no cookie says who asks.
bool exchange::authenticate_by_cookie() {
    const auto token = route_->cookie_sessions ? session_cookie(head_->fields) : std::nullopt;
    if (!token) {
        return false;
    }
    // Browsers send cookies for whoever asks them to.
    const bool may_change =
        !is_safe(head_->method) || !upgrade_of(*head_, route_->upgrades).empty();
    if (may_change && !is_made_by_our_pages(*head_, https_, plan_->routes->trusted_origins)) {
        refuse({error_kind::forbidden, "cross-site",
                "with the session cookie only pages of the same origin may do this", "",
                std::nullopt});
        return true;
    }
    by_cookie_ = true;
    identify(*token);
    return true;
}

void exchange::identify(std::string_view token) {
    if (const auto known = edge_.identities().find(token)) {
        on_identity(*known);
        return;
    }
    phase_ = phase::identity;
    edge_.identities().ask(token, record_.trace, *this);
}

void exchange::on_identity(const result<const known_caller*>& who) {
    phase_ = phase::idle;
    if (!who) {
        refuse(who.error());
    } else if (*who == nullptr && by_cookie_) {
        prepare(nullptr); // a session that ended must not keep anybody from beginning another
    } else if (*who == nullptr) {
        refuse({error_kind::unauthenticated, "invalid-token",
                "the token is unknown, expired or revoked", "", std::nullopt});
    } else {
        record_.account = (*who)->who.account.value();
        const auto limited =
            limits_.take_for_caller(*plan_->routes, *route_, edge_.limits(), **who, steady::now());
        if (!limited) {
            refuse(limited.error());
            return;
        }
        prepare(*who);
    }
}

/// Renders the request for the service: after this the client's head is not needed any more.
void exchange::prepare(const known_caller* caller) {
    const auto now = steady::now();
    on_trial_ = service_->breaker().may_pass(now);
    if (!on_trial_) {
        refuse({error_kind::unavailable, "circuit-open",
                service_->name() + " does not answer at the moment", "",
                std::chrono::ceil<std::chrono::seconds>(service_->breaker().remaining(now))});
        return;
    }
    constexpr std::int64_t large = std::int64_t{64} * 1024;
    if (route_->uploads_max > 0 && body_weight_ > large) {
        const auto place =
            limits_.take_upload(*plan_->routes, *route_, edge_.limits(), address_, caller);
        if (!place) {
            refuse(place.error());
            return;
        }
    }
    const std::string traceparent = record_.trace.child().traceparent();
    forwarding about;
    about.client_address = address_text_.empty() ? client_->info().address : address_text_;
    about.scheme = https_ ? "https" : "http";
    about.request_id = record_.request_id.view();
    about.traceparent = traceparent;
    if (caller != nullptr) {
        about.identity = caller->signed_header;
    }
    about.keep_authorization = route_->credentials == credentials::forward;
    request_.upgrade = about.upgrade = upgrade_of(*head_, route_->upgrades);
    about.deadline = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - now);
    head_text_.clear();
    write_request_head(*head_, about, head_text_);
    wait_until_ = std::min(until_, now + connection_wait);
    sought_at_ = now;
    timer_.set(wait_until_);
    seek_connection();
}

void exchange::seek_connection() {
    phase_ = phase::connection;
    service::wish what;
    what.fresh = !may_reuse_;
    what.careful = !is_idempotent(request_.method);
    what.not_these = std::span(failed_).first(failed_count_);
    if (!service_->acquire(*this, what)) {
        refuse({error_kind::unavailable, "upstream-busy", "too many requests wait for the service",
                "", std::chrono::seconds(1)});
    }
}

void exchange::on_turn() {
    seek_connection();
}

/// Another instance at once; when all were tried, all of them again after a pause: a service that
/// restarts is waited for.
void exchange::on_connect_failed(std::size_t instance) {
    const bool another = instance != balancer::none && failed_count_ < failed_.size() &&
                         failed_count_ + 1 < service_->instances();
    if (another) {
        failed_[failed_count_++] = instance;
        seek_connection();
        return;
    }
    failed_count_ = 0;
    phase_ = phase::pause;
    const auto next = steady::now() + pause_between_tries;
    timer_.set(std::min(next, wait_until_));
}

void exchange::on_timeout() {
    switch (phase_) {
    case phase::pause:
        if (steady::now() < wait_until_) {
            timer_.set(wait_until_);
            seek_connection();
            break;
        }
        [[fallthrough]];
    case phase::connection:
        if (service_->is_waiting(*this)) {
            refuse({error_kind::unavailable, "queue-timeout",
                    "too many requests wait for " + service_->name(), "", std::chrono::seconds(1)});
            break;
        }
        end_trial(false);
        refuse({error_kind::unavailable, "no-healthy-upstream",
                service_->name() + " cannot be reached", "", std::nullopt});
        break;
    case phase::upstream:
        if (steady::now() < until_) {
            record_.hedged = true;
            hedge_.begin(*service_, upstream_->instance(), request_, head_text_);
            timer_.set(until_);
            break;
        }
        fail_upstream({error_kind::timeout, "upstream-timeout",
                       "the service did not answer in time", "", std::nullopt});
        break;
    case phase::idle:
    case phase::identity:
    case phase::answering:
    case phase::tunnel:
    case phase::refusing:
        break;
    }
}

} // namespace relais::gateway
