#pragma once

#include "result/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relais::memcache {

/// A reply of the meta protocol (memcached doc/protocol.txt, "Meta Commands").
struct meta_reply {
    std::string code;                      ///< HD, EN, NF, NS, VA
    std::optional<std::size_t> value_size; ///< VA only: so many bytes follow the line
    std::string value;
    bool won = false;          ///< flag W: this client shall fill the gap
    bool stale_or_gap = false; ///< flags W, Z or X: there is no current value
    std::uint64_t cas = 0;     ///< flag c
};

/// Reads the first line, without its line end. Error: `internal` / "cache-bad-reply" (also for
/// ERROR, CLIENT_ERROR and SERVER_ERROR).
result<meta_reply> parse_meta_line(std::string_view line);

/// 1 to 250 bytes, no control characters, no space.
bool is_valid_key(std::string_view key);

} // namespace relais::memcache
