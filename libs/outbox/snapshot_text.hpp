#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::outbox {

/// A pg_snapshot in text form, `xmin:xmax:xip,xip…`: what began at xmax or later, and what was in
/// progress, is not seen by it. Pure.
struct snapshot {
    std::uint64_t xmax = 0;
    std::vector<std::string> in_progress;
};

/// Error: `internal` / "pg-snapshot".
result<snapshot> parse_snapshot(std::string_view text);

/// Whether it sees what the (committed) transaction did; false when it cannot be read.
bool sees(std::string_view snapshot_text, std::uint64_t xid);

} // namespace relais::outbox
