#pragma once

#include "gateway/upstream/service.hpp"
#include "gateway/upstream/upstream_connection.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace relais::gateway {

/// Whoever has a request sent to a second instance.
class hedge_user {
public:
    /// It answers first: take() it within this call.
    virtual void on_hedge_won(const http::response_head& head) = 0;

protected:
    ~hedge_user() = default;
};

/// A request without a body that takes its time, sent to one more instance: whoever answers first
/// counts. It never waits for a place, and spends the same budget as retries.
class hedge final : upstream_user, connection_user {
public:
    explicit hedge(hedge_user& whose) : user_(whose) {}

    hedge(const hedge&) = delete;
    hedge& operator=(const hedge&) = delete;

    /// The head's text stays as it is until stop() or take(). Nothing happens when the budget is
    /// spent or no instance has room.
    void begin(service& of, std::size_t not_this, const upstream_connection::request& request,
               const std::string& head);

    /// A connection carries it, and nothing came back yet.
    bool is_under_way() const {
        return connection_ != nullptr;
    }

    /// The connection is now somebody else's, in the middle of its exchange.
    upstream_connection& take(upstream_user& next);
    void stop();

private:
    void on_connection(upstream_connection& got) override;
    void on_connect_failed(std::size_t instance) override;
    void on_turn() override;

    void on_interim(const http::response_head& /*head*/) override {}

    void on_answer_head(const http::response_head& head) override;
    void on_answer_body(std::string_view piece, bool last) override;

    void on_answer_pause() override {}

    void on_upstream_ready() override {}

    void on_upstream_failed(const error& why) override;

    hedge_user& user_;
    service* service_ = nullptr; ///< asked for a connection, or it has one
    upstream_connection* connection_ = nullptr;
    upstream_connection::request request_;
    const std::string* head_ = nullptr;
};

} // namespace relais::gateway
