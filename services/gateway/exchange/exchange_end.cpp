#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"
#include "gateway/exchange/transport_rules.hpp"

#include <utility>

// How an exchange ends: refused, answered, or broken off. Each end gives back what it holds,
// reports once, and leaves the object to the next request.
namespace relais::gateway {

void exchange::refuse(const error& why) {
    give_up();
    if (cache_.leads && may_serve_stale()) {
        serve_stale();
        return;
    }
    record_.reason = error_reason_of(why);
    record_.detail.assign_marked(why.detail);
    const bool masked = route_ != nullptr && route_->failures_as_429;
    answer_here(refusal_answer(masked ? failure_as_429(why) : why, record_));
}

/// Closing is all that tells the client once a part of an answer is out.
void exchange::refuse_or_cut(const error& why) {
    if (answer_out_) {
        record_.reason = error_reason_of(why);
        record_.detail.assign_marked(why.detail);
        done_broken();
        return;
    }
    if (answer_began_) {
        answer_began_ = false;
        client_->take_back_head();
    }
    refuse(why);
}

/// The gateway answers itself.
void exchange::answer_here(const http::response& answer) {
    record_.status = static_cast<std::uint16_t>(answer.status);
    record_.response_bytes = answer.body.size();
    phase_ = phase::refusing;
    refusal_body_ = request_.method == "HEAD" ? std::string() : answer.body;
    answer_.status = answer.status;
    answer_.reason = reason_phrase(answer.status);
    answer_.fields.clear();
    for (const auto& [name, value] : answer.headers.all()) {
        answer_.fields.push_back({name, value});
    }
    answer_.fields.push_back({"Date", edge_.loop().http_date()});
    answer_.fields.push_back({"X-Request-Id", record_.request_id.view()});
    add_our_fields();
    answer_.content_length = answer.body.size();
    answer_.has_body = !refusal_body_.empty();
    client_->send_head(answer_);
    const auto outcome =
        answer_.has_body ? client_->send_body(refusal_body_, true) : client_->flush();
    if (outcome == sent::broken) {
        on_client_gone();
    } else if (outcome == sent::whole) {
        done();
    }
}

/// What each answer carries, whoever gives it.
void exchange::add_our_fields() {
    limits_.write_fields(answer_);
    if (https_) {
        write_transport_security(client_->info(), answer_);
    }
    shaper_.shape(answer_);
}

/// Nothing is wanted any more of those who were asked.
void exchange::give_up() {
    timer_.clear();
    sending_ = false;
    hedge_.stop();
    if (phase_ == phase::identity) {
        edge_.identities().forget(*this);
    }
    if (phase_ == phase::connection) {
        service_->give_up(*this);
    }
    drop_upstream();
    flush_timer_.clear();
    shaper_.compressor().end();
}

/// The answer went out whole.
void exchange::done() {
    timer_.clear();
    release_upstream();
    auto* const client = client_;
    close_record();
    client->finish();
}

void exchange::release_upstream() {
    if (upstream_ != nullptr) {
        auto* const used = upstream_;
        upstream_ = nullptr;
        service_->add_bytes(used->instance(), -body_weight_);
        const bool failed = record_.status >= 502 && record_.status <= 504;
        if (failed) {
            service_->report_failure(used->instance());
        }
        service_->release(*used, failed ? std::nullopt
                                        : std::optional<std::chrono::nanoseconds>(answer_took_));
    }
}

void exchange::done_broken() {
    give_up();
    auto* const client = client_;
    close_record();
    client->abort();
}

void exchange::close_record() {
    file_.end();
    end_leading(false);
    cache_.begin();
    flush_timer_.clear();
    if (shaper_.compressor().active()) {
        record_.response_bytes = shaper_.compressor().bytes_out();
        shaper_.compressor().end();
    }
    const auto& others = edge_.others();
    const auto now = steady::now(); // what took long within this turn shows here
    record_.end(now);
    if (headed_at_ != steady::time_point{}) {
        record_.transfer = std::chrono::duration_cast<std::chrono::microseconds>(now - headed_at_);
    }
    others.stats.request_ended();
    others.stats.observe(record_);
    others.log.push(record_);
    if (record_.reason != error_reason::none) {
        others.watch_refusal(record_);
    }
    if (std::exchange(on_trial_, false)) {
        service_->breaker().forget();
    }
    limits_.begin(); // gives back the place of an upload
    phase_ = phase::idle;
    client_ = nullptr;
    edge_.recycle(*this, std::move(plan_));
}

} // namespace relais::gateway
