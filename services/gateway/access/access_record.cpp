#include "gateway/access/access_record.hpp"

#include <algorithm>
#include <array>

namespace relais::gateway {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

} // namespace

std::string_view to_string(http_protocol value) {
    static constexpr std::array<std::string_view, 4> words{"HTTP/1.0", "HTTP/1.1", "HTTP/2",
                                                           "websocket"};
    return words[static_cast<std::size_t>(value)];
}

std::string_view to_string(cache_status value) {
    static constexpr std::array<std::string_view, cache_status_count> words{
        "", "hit", "miss", "joined", "revalidated", "stale", "bypass"};
    return words[static_cast<std::size_t>(value)];
}

void access_record::set_target(std::string_view target) noexcept {
    path.assign(target.substr(0, target.find('?')));
}

void access_record::set_client(const std::array<std::uint8_t, 4>& address) noexcept {
    client = {};
    std::ranges::copy(address, client.begin());
    client_family = address_family::v4;
}

void access_record::set_client(const std::array<std::uint8_t, 16>& address) noexcept {
    if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.begin())) {
        set_client(std::array{address[12], address[13], address[14], address[15]});
        return;
    }
    client = address;
    client_family = address_family::v6;
}

void access_record::end(std::chrono::steady_clock::time_point now) noexcept {
    total = std::chrono::duration_cast<std::chrono::microseconds>(now - started);
}

} // namespace relais::gateway
