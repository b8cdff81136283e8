#include "web-api/domain/cursor.hpp"

#include "ids/encoding.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

constexpr std::size_t time_size = 8;
constexpr std::size_t position_size = time_size + 16;
constexpr std::size_t mac_size = 16;

std::vector<std::uint8_t> to_bytes(const list_position& position) {
    const auto micros = static_cast<std::uint64_t>(position.time.time_since_epoch().count());
    std::vector<std::uint8_t> out;
    for (int shift = 56; shift >= 0; shift -= 8) {
        out.push_back(static_cast<std::uint8_t>(micros >> shift));
    }
    const auto& id = position.id.bytes();
    out.insert(out.end(), id.begin(), id.end());
    return out;
}

list_position from_bytes(std::span<const std::uint8_t> bytes) {
    std::uint64_t micros = 0;
    for (std::size_t i = 0; i < time_size; ++i) {
        micros = (micros << 8) | bytes[i];
    }
    std::array<std::uint8_t, 16> id{};
    std::copy_n(bytes.begin() + time_size, id.size(), id.begin());
    return {timestamp(std::chrono::microseconds(static_cast<std::int64_t>(micros))), uuid(id)};
}

} // namespace

list_position list_position::start() {
    std::array<std::uint8_t, 16> highest{};
    highest.fill(0xFF);
    // The year 9999: what every part of the way (text, PostgreSQL, std::chrono) can still write.
    return {timestamp(std::chrono::sys_days(std::chrono::year(9999) / 1 / 1)), uuid(highest)};
}

std::vector<std::uint8_t> cursor_codec::mac(std::span<const std::uint8_t> position,
                                            std::string_view scope) const {
    const auto scope_bytes = as_bytes(scope);
    std::vector<std::uint8_t> message(scope_bytes.begin(), scope_bytes.end());
    message.push_back(0);
    message.insert(message.end(), position.begin(), position.end());
    auto full = hmac_sha256(key_, message);
    full.resize(mac_size);
    return full;
}

std::string cursor_codec::encode(const list_position& position, std::string_view scope) const {
    auto bytes = to_bytes(position);
    const auto check = mac(bytes, scope);
    bytes.insert(bytes.end(), check.begin(), check.end());
    return to_base64url(bytes);
}

result<list_position> cursor_codec::decode(std::string_view text, std::string_view scope) const {
    const auto refused = fail(error_kind::invalid, "invalid-cursor",
                              "use next_cursor of the page before, with the same filters");
    const auto bytes = from_base64url(text);
    if (!bytes || bytes->size() != position_size + mac_size) {
        return refused;
    }
    const std::span<const std::uint8_t> all(*bytes);
    const auto position = all.first(position_size);
    if (!equal_in_constant_time(all.subspan(position_size), mac(position, scope))) {
        return refused;
    }
    return from_bytes(position);
}

} // namespace relais::web_api
