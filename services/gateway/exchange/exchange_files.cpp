#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"

// How a request is answered with what the gateway itself has.
namespace relais::gateway {

void exchange::serve_file() {
    const auto& rules = *route_->files;
    const auto found = edge_.files().find(rules, head_->path, record_.started);
    if (found.what == nullptr) {
        refuse(nothing_there());
        return;
    }
    answer_.fields.clear();
    if (!file_.begin(rules, found, *head_, edge_.files(), answer_)) {
        refuse({error_kind::unavailable, "file-changed", "the file is being replaced", "",
                std::chrono::seconds(1)});
        return;
    }
    answer_.reason = reason_phrase(answer_.status);
    answer_.fields.push_back({"Date", edge_.loop().http_date()});
    answer_.fields.push_back({"X-Request-Id", record_.request_id.view()});
    send_own_answer();
}

/// The head is in answer_, but for what all answers get; the body, if there is one, is ready.
void exchange::send_own_answer() {
    record_.status = static_cast<std::uint16_t>(answer_.status);
    shaper_.choose_coding(answer_);
    add_our_fields();
    answer_began_ = true;
    phase_ = phase::answering;
    client_->send_head(answer_);
    if (answer_.has_body) {
        send_own_body();
    } else {
        answer_last_ = answer_out_ = true;
        continue_answer(client_->flush());
    }
}

/// As much as the client takes.
void exchange::send_own_body() {
    constexpr std::chrono::milliseconds disk_time{5};
    while (true) {
        const auto part = file_.body().next();
        if (part.is == body_source::state::later) {
            timer_.set_after(disk_time);
            return;
        }
        if (part.is == body_source::state::broken) {
            record_.reason = error_reason::internal;
            done_broken();
            return;
        }
        record_.response_bytes += part.bytes.size();
        answer_last_ = part.last;
        answer_out_ = true;
        const auto outcome = shaper_.send(*client_, part.bytes, part.last);
        if (outcome != sent::whole || part.last) {
            continue_answer(outcome);
            return;
        }
    }
}

} // namespace relais::gateway
