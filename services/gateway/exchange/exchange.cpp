#include "gateway/exchange/exchange.hpp"

#include "gateway/edge.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/exchange/transport_rules.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

// How a request begins: what it is, and which instance gets it. Who asks is in
// exchange_admission.cpp, what follows in exchange_relay.cpp.
namespace relais::gateway {
namespace {

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
      flush_timer_(whose.loop().timers(), *this, timer_wheel::calls<&exchange::on_flush_due>{}),
      shaper_(whose.encoders(), whose.loop().blocks()), file_(whose.loop().blocks()),
      hedge_(*this) {}

exchange::steady::time_point exchange::turn_time() const {
    return edge_.loop().now();
}

void exchange::begin(client_side& client) {
    client_ = &client;
    plan_ = edge_.current_plan();
    upstream_ = nullptr;
    service_ = nullptr;
    route_ = nullptr;
    phase_ = phase::idle;
    record_ = {};
    record_.started = turn_time();
    sending_ = body_touched_ = body_last_ = answer_began_ = answer_out_ = answer_last_ = false;
    answered_ = reads_on_ = false;
    by_cookie_ = on_trial_ = false;
    may_reuse_ = true;
    failed_count_ = 0;
    body_weight_ = 0;
    limits_.begin();
    https_ = false;
    sent_at_ = sought_at_ = headed_at_ = {};
    answer_took_ = {};
    shaper_.begin();
    preflight_ = false;
    cache_.begin();
}

void exchange::begin_request(const http::request_head& head) {
    record_.start = edge_.others().time.now();
    record_.tls = client_->info().encrypted;
    begin_record(record_, head, edge_.loop());
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
    find_sender(head);
    if (const auto elsewhere = redirect_of(client_->info(), head, https_)) {
        answer_here(*elsewhere);
        return;
    }
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
    if (preflight_) {
        if (shaper_.refuses_preflight()) {
            refuse({error_kind::forbidden, "origin-not-allowed",
                    "pages of this origin may not use it", "", std::nullopt});
        } else {
            answer_here(http::response::empty(204));
        }
        return;
    }
    if (route_->files != nullptr) {
        serve_file();
        return;
    }
    if (const auto found = find_object(); !found) {
        refuse(found.error());
    } else if (route_->cache == nullptr || !use_cache()) {
        authenticate();
    }
}

void exchange::on_malformed(const error& why) {
    request_ = {"GET", false, false, ""};
    begin_request({});
    refuse(why);
}

/// Renders the request for the service: after this the client's head is not needed any more.
void exchange::prepare(const known_caller* caller) {
    const auto now = turn_time();
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
    if (!write_forwarded(caller)) {
        refuse(nothing_there());
        return;
    }
    wait_until_ = std::min(until_, now + connection_wait);
    sought_at_ = now;
    timer_.set(wait_until_);
    seek_connection();
}

/// What the service gets, into head_text_. False: the route would lead where nobody may go from
/// outside.
bool exchange::write_forwarded(const known_caller* caller) {
    if (route_->bucket != nullptr) {
        write_object_head();
        return true;
    }
    head_text_.clear();
    const auto rewritten =
        route_->rewrite.empty() ? std::string() : route_->rewrite.apply(head_->path);
    if (is_internal(rewritten)) {
        return false;
    }
    const auto traceparent = record_.trace.child().traceparent_characters();
    forwarding about;
    about.path = rewritten;
    about.service = service_->name();
    about.client_address = address_text_.empty() ? client_->info().address : address_text_;
    about.scheme = https_ ? "https" : "http";
    about.request_id = record_.request_id.view();
    about.traceparent = {traceparent.data(), traceparent.size()};
    if (caller != nullptr) {
        about.identity = caller->signed_header;
    }
    about.keep_authorization = route_->credentials == credentials::forward;
    about.respond_async = route_->long_work;
    request_.upgrade = about.upgrade = upgrade_of(*head_, route_->upgrades);
    about.deadline = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - turn_time());
    write_request_head(asked_of_service(), about, head_text_);
    return true;
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
    const auto next = turn_time() + pause_between_tries;
    timer_.set(std::min(next, wait_until_));
}

void exchange::on_timeout() {
    switch (phase_) {
    case phase::pause:
        if (turn_time() < wait_until_) {
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
        if (!sending_) { // else it does not take the body
            service_->report_waiting(upstream_->instance(), turn_time() - sent_at_);
        }
        if (!sending_ && turn_time() < until_) {
            record_.hedged = true;
            hedge_.begin(*service_, upstream_->instance(), request_, head_text_);
            timer_.set(until_);
            break;
        }
        fail_upstream({error_kind::timeout, "upstream-timeout",
                       "the service did not answer in time, and was told to stop", "",
                       std::nullopt});
        break;
    case phase::joining:
        phase_ = phase::idle;
        ++cache_.ticket;
        prepare(nullptr);
        break;
    case phase::answering:
        if (file_.body().active()) {
            send_own_body(); // it comes from the disk
        } else if (answered_) {
            done(); // the service does not take the rest
        }
        break;
    case phase::idle:
    case phase::identity:
    case phase::tunnel:
    case phase::refusing:
        break;
    }
}

} // namespace relais::gateway
