#include "gateway/edge.hpp"
#include "gateway/exchange/exchange.hpp"
#include "gateway/exchange/refusals.hpp"

#include <fmt/format.h>

#include <algorithm>

// How a request is answered with an object of a bucket.
namespace relais::gateway {

/// Success where the route has no bucket.
result<void> exchange::find_object() {
    object_.skips = false;
    if (route_->bucket == nullptr) {
        return {};
    }
    if (head_->framing == http::framing::chunked || head_->body_bytes > 0) {
        return fail(error_kind::too_large, "body-too-large", "pages are asked for without a body");
    }
    request_.has_body = request_.chunked = false;
    if (!object_.begin(*route_->bucket, *head_)) {
        return std::unexpected(nothing_there());
    }
    return {};
}

void exchange::write_object_head() {
    head_text_.clear();
    object_.write_head(*route_->bucket, asked_of_service(), edge_.others().time.now(), head_text_);
}

/// The store's answer is not for the client.
void exchange::on_object_refused(const http::response_head& head) {
    if (object_.outcome() == bucket_request::verdict::failed) {
        fail_upstream({error_kind::unavailable, "upstream-failed",
                       fmt::format("the store answered {}", head.status), "", std::nullopt});
    } else if (head.framing == http::framing::none) {
        end_skipping();
    } else {
        object_.skips = true;
    }
}

/// All of it is read: the connection may carry another exchange.
void exchange::end_skipping() {
    object_.skips = false;
    release_upstream();
    switch (object_.outcome()) {
    case bucket_request::verdict::ask_plain:
        object_.choose_plain();
        write_object_head();
        wait_until_ = std::min(until_, turn_time() + connection_wait);
        timer_.set(wait_until_);
        seek_connection();
        break;
    case bucket_request::verdict::unsuitable:
        timer_.clear();
        answer_here(object_.refusal());
        break;
    case bucket_request::verdict::failed:
        fail_upstream({error_kind::unavailable, "upstream-failed",
                       "the store does not take our key", "", std::nullopt});
        break;
    case bucket_request::verdict::missing:
    case bucket_request::verdict::give:
        if (cache_.leads) { // what was kept is not there any more
            edge_.cache().remove(cache_.key, turn_time());
            end_leading(true);
        }
        refuse(nothing_there());
        break;
    }
}

} // namespace relais::gateway
