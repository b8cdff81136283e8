#include "gateway/answers/answer_shaper.hpp"

namespace relais::gateway {

void answer_shaper::note_request(const answer_rules* rules, const http::request_head& head,
                                 bool preflight) {
    rules_ = rules;
    preflight_ = preflight;
    origin_.clear();
    asked_.clear();
    if (rules != nullptr && rules->compression) {
        accepted_ = accepted_codings::of(head);
    }
    if (rules == nullptr || !rules->cors) {
        return;
    }
    const auto origin = head.find("origin").value_or("");
    if (!origin.empty() && rules->cors->allows(origin)) {
        origin_ = origin;
    }
    if (preflight) {
        asked_ = head.find("access-control-request-headers").value_or("");
    }
}

void answer_shaper::apply_rules(answer_head& to) const {
    if (rules_->cors && preflight_ && !origin_.empty()) {
        rules_->cors->apply_preflight(origin_, asked_, to);
    } else if (rules_->cors) {
        rules_->cors->apply(origin_, to);
    }
    rules_->fields.apply(to);
}

void answer_shaper::apply_compression(answer_head& to) {
    const auto& rules = *rules_->compression;
    if (to.status == 304) { // of what we would have compressed, perhaps
        describe_coding(coding::identity, to, etag_);
        return;
    }
    if (!rules.cover(to)) {
        return;
    }
    auto which = rules.choose(accepted_);
    if (which != coding::identity && to.has_body && !compressor_.begin(which, rules.level(which))) {
        which = coding::identity;
    }
    describe_coding(which, to, etag_);
}

} // namespace relais::gateway
