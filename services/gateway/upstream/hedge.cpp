#include "gateway/upstream/hedge.hpp"

#include <span>
#include <utility>

namespace relais::gateway {

void hedge::begin(service& of, std::size_t not_this, const upstream_connection::request& request,
                  const std::string& head) {
    if (of.instances() < 2 || !of.may_hedge()) {
        return;
    }
    service_ = &of;
    request_ = request;
    head_ = &head;
    service::wish what;
    what.now_or_never = true;
    what.not_these = std::span(&not_this, 1);
    if (!of.acquire(*this, what)) {
        service_ = nullptr;
    }
}

void hedge::on_connection(upstream_connection& got) {
    connection_ = &got;
    got.begin(*this, request_);
    got.head() += *head_;
    got.flush(); // what is wrong with it comes as the answer
}

void hedge::on_connect_failed(std::size_t /*instance*/) {
    service_ = nullptr;
}

void hedge::on_turn() {} // it never waits

void hedge::on_answer_head(const http::response_head& head) {
    user_.on_hedge_won(head);
}

/// Who took it gets the body.
void hedge::on_answer_body(std::string_view /*piece*/, bool /*last*/) {}

void hedge::on_upstream_failed(const error& /*why*/) {
    service_->report_failure(connection_->instance());
    stop();
}

upstream_connection& hedge::take(upstream_user& next) {
    service_ = nullptr;
    connection_->hand_over(next);
    return *std::exchange(connection_, nullptr);
}

void hedge::stop() {
    auto* const of = std::exchange(service_, nullptr);
    if (of == nullptr) {
        return;
    }
    if (auto* const used = std::exchange(connection_, nullptr)) {
        of->drop(*used);
    } else {
        of->give_up(*this);
    }
}

} // namespace relais::gateway
