#pragma once

#include "gateway/answers/cors_rules.hpp"
#include "gateway/answers/field_rules.hpp"
#include "gateway/compression/compression_rules.hpp"

#include <optional>

namespace relais::gateway {

/// What a route does to its answers. Immutable.
struct answer_rules {
    field_rules fields;
    std::optional<cors_rules> cors;
    std::optional<compression_rules> compression;
};

} // namespace relais::gateway
