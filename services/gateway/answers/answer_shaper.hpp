#pragma once

#include "gateway/answers/answer_rules.hpp"
#include "gateway/client/client_side.hpp"
#include "gateway/compression/answer_compressor.hpp"
#include "http/gate.hpp"

#include <string>

namespace relais::gateway {

/// What the rules of its route make of one answer on its way to the client. Without rules it costs
/// a look at a pointer. Reused from request to request.
class answer_shaper {
public:
    answer_shaper(encoder_pool& encoders, block_pool& blocks) : compressor_(encoders, blocks) {}

    void begin() {
        rules_ = nullptr;
    }

    /// What of the request decides about the answer; null: nothing happens to it.
    void note_request(const answer_rules* rules, const http::request_head& head, bool preflight);

    /// Whether the request comes from a page that may not use the route, and says so.
    bool refuses_preflight() const {
        return preflight_ && origin_.empty();
    }

    /// Of any answer on the route, also the gateway's own: its fields.
    void shape(answer_head& to) {
        if (rules_ != nullptr) {
            apply_rules(to);
        }
    }

    /// Before shape(), of an answer whose body goes through send(): whether it is compressed.
    void choose_coding(answer_head& to) {
        if (rules_ != nullptr && rules_->compression) {
            apply_compression(to);
        }
    }

    /// As those of client_side and answer_compressor.
    sent send(client_side& to, std::string_view piece, bool last) {
        return compressor_.active() ? compressor_.send(to, piece, last) : to.send_body(piece, last);
    }

    answer_compressor& compressor() {
        return compressor_;
    }

private:
    void apply_rules(answer_head& to) const;
    void apply_compression(answer_head& to);

    const answer_rules* rules_ = nullptr;
    answer_compressor compressor_;
    accepted_codings accepted_;
    std::string origin_; ///< of the request, if it is allowed
    std::string asked_;  ///< fields that a preflight asks for
    std::string etag_;
    bool preflight_ = false;
};

} // namespace relais::gateway
