#pragma once

#include "gateway/client/client_side.hpp"
#include "http/gate.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace relais::gateway {

/// The client of a request that nobody sent: the same request as one that got a stale answer, made
/// again so that the cache has a fresh one. Takes everything and forgets it.
class cache_refresh final : public client_side {
public:
    /// Whoever keeps it.
    class owner {
    public:
        /// It is over and not needed any more; what is on the stack may still use it.
        virtual void on_refreshed(cache_refresh& which) = 0;

    protected:
        ~owner() = default;
    };

    cache_refresh(owner& whose, const http::request_head& asked, client_info info);

    const http::request_head& head() const {
        return head_;
    }

    const client_info& info() const override {
        return info_;
    }

    void read_body() override {}

    bool body_finished() const override {
        return true;
    }

    sent send_interim(const answer_head& /*head*/) override {
        return sent::whole;
    }

    void send_head(const answer_head& /*head*/) override {}

    void take_back_head() override {}

    void send_switch(const answer_head& /*head*/) override {}

    sent send_body(std::string_view /*piece*/, bool /*last*/) override {
        return sent::whole;
    }

    sent flush() override {
        return sent::whole;
    }

    void finish() override {
        owner_.on_refreshed(*this);
    }

    void abort() override {
        owner_.on_refreshed(*this);
    }

    std::size_t place = 0; ///< the owner's business

private:
    std::string_view keep(std::string_view text);

    owner& owner_;
    client_info info_;
    std::vector<std::unique_ptr<std::string>> texts_; ///< what the head's views point at
    http::request_head head_;
};

} // namespace relais::gateway
