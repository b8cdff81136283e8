#pragma once

#include "gateway/answers/answer_rules.hpp"
#include "gateway/client/client_side.hpp"
#include "http/gate.hpp"

#include <string>

namespace relais::gateway {

/// What the rules of its route make of one answer. Reused from request to request.
class answer_shaper {
public:
    void begin() {
        rules_ = nullptr;
    }

    /// What of the request decides about the answer; null: nothing happens to it.
    void note_request(const answer_rules* rules, const http::request_head& head, bool secure,
                      bool preflight);

    /// Whether the request comes from a page that may not use the route, and says so.
    bool refuses_preflight() const {
        return preflight_ && origin_.empty();
    }

    void shape(answer_head& to) {
        if (rules_ != nullptr) {
            apply_rules(to);
        }
    }

private:
    void apply_rules(answer_head& to) const;

    const answer_rules* rules_ = nullptr;
    std::string origin_; ///< of the request, if it is allowed
    std::string asked_;  ///< fields that a preflight asks for
    bool preflight_ = false;
    bool secure_ = false;
};

} // namespace relais::gateway
