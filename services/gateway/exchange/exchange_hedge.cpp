#include "gateway/exchange/exchange.hpp"

#include <algorithm>

// A request that takes its time, at two instances.
namespace relais::gateway {

/// Also the moment to ask another instance, where that is wanted and safe.
void exchange::await_answer() {
    timer_.set(may_hedge() ? std::min(until_, sent_at_ + route_->hedge_after) : until_);
}

bool exchange::may_hedge() const {
    return route_->hedge_after.count() > 0 && !record_.hedged && !request_.has_body &&
           request_.upgrade.empty() && is_idempotent(request_.method);
}

void exchange::on_hedge_won(const http::response_head& head) {
    service_->note_hedge_won();
    use_hedge();
    on_answer_head(head);
}

/// The other instance's connection takes the place of the first.
void exchange::use_hedge() {
    drop_upstream();
    upstream_ = &hedge_.take(*this);
    record_.upstream_instance = service_->instance_label(upstream_->instance());
    record_.connection_reused = upstream_->was_used_before();
}

} // namespace relais::gateway
