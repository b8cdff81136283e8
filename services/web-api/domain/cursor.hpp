#pragma once

#include "clock/clock.hpp"
#include "ids/uuid.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// Where a page ended: lists are ordered by time, newest first, then by id, so that entries of one
/// microsecond are neither lost nor shown twice.
struct list_position {
    timestamp time;
    uuid id;

    /// Before the first entry of every list.
    static list_position start();

    friend bool operator==(const list_position&, const list_position&) = default;
};

/// Makes and reads the opaque cursors of lists: base64url(time ‖ id ‖ first 16 bytes of
/// HMAC-SHA-256(key, scope ‖ 0 ‖ time ‖ id)). The scope is the list and its filters: a cursor of
/// one list says nothing about another, and a made-up one is refused instead of being half
/// believed.
class cursor_codec {
public:
    explicit cursor_codec(std::vector<std::uint8_t> key) : key_(std::move(key)) {}

    std::string encode(const list_position& position, std::string_view scope) const;

    /// Error: `invalid` / "invalid-cursor".
    result<list_position> decode(std::string_view text, std::string_view scope) const;

private:
    std::vector<std::uint8_t> mac(std::span<const std::uint8_t> position,
                                  std::string_view scope) const;

    std::vector<std::uint8_t> key_;
};

} // namespace relais::web_api
