#pragma once

#include "gateway/access/error_reason.hpp"

#include <string_view>

namespace relais::gateway {

/// A reason for people: what happened, and what to do about it. Whole sentences.
struct reason_text {
    std::string_view what;
    std::string_view next;
};

/// Never empty, but for none.
const reason_text& text_of(error_reason reason);

} // namespace relais::gateway
