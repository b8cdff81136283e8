#include "gateway/client_address/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <bit>
#include <charconv>
#include <cstring>

namespace relais::gateway {
namespace {

constexpr std::uint64_t mapped_marker = std::uint64_t{0xffff} << 32;

std::uint64_t from_wire(std::uint64_t value) {
    return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

} // namespace

std::array<std::uint8_t, 16> address_bits::bytes() const {
    std::array<std::uint8_t, 16> out{};
    const std::array<std::uint64_t, 2> words{from_wire(high), from_wire(low)};
    std::memcpy(out.data(), words.data(), out.size());
    return out;
}

address_bits masked(const address_bits& bits, unsigned length) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    // A shift by 64 is undefined, hence the edges.
    if (length == 0) {
        return {};
    }
    if (length <= 64) {
        return {bits.high & (all << (64 - length)), 0};
    }
    return {bits.high, length >= 128 ? bits.low : bits.low & (all << (128 - length))};
}

address_bits to_bits(const std::array<std::uint8_t, 16>& bytes) {
    std::array<std::uint64_t, 2> words{};
    std::memcpy(words.data(), bytes.data(), bytes.size());
    return {from_wire(words[0]), from_wire(words[1])};
}

address_bits to_bits(const ip_address& address) {
    if (address.is_v4()) {
        return {0, mapped_marker | address.to_v4().to_uint()};
    }
    const auto bytes = address.to_v6().to_bytes();
    std::array<std::uint8_t, 16> copy{};
    std::memcpy(copy.data(), bytes.data(), copy.size());
    return to_bits(copy);
}

ip_address to_address(const address_bits& bits) {
    if (bits.is_v4()) {
        return boost::asio::ip::address_v4(static_cast<std::uint32_t>(bits.low));
    }
    boost::asio::ip::address_v6::bytes_type bytes{};
    const auto wire = bits.bytes();
    std::ranges::copy(wire, bytes.begin());
    return boost::asio::ip::address_v6(bytes);
}

ip_address unmapped(const ip_address& address) {
    return to_address(to_bits(address));
}

std::optional<ip_address> parse_address(std::string_view text) {
    // inet_pton wants a terminated string, and a NUL inside must not hide what follows it.
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.empty() || text.size() >= terminated.size() || text.contains('\0')) {
        return std::nullopt;
    }
    std::ranges::copy(text, terminated.begin());
    if (!text.contains(':')) {
        std::uint32_t wire = 0;
        if (::inet_pton(AF_INET, terminated.data(), &wire) != 1) {
            return std::nullopt;
        }
        return boost::asio::ip::address_v4(ntohl(wire));
    }
    std::array<std::uint8_t, 16> wire{};
    if (::inet_pton(AF_INET6, terminated.data(), wire.data()) != 1) {
        return std::nullopt;
    }
    return to_address(to_bits(wire));
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    constexpr std::size_t digits_max = 5;
    if (text.empty() || text.size() > digits_max) {
        return std::nullopt;
    }
    std::uint16_t port = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failed != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return port;
}

std::optional<ip_address> parse_address_and_port(std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) {
            return std::nullopt;
        }
        const auto inside = text.substr(1, close - 1);
        const auto rest = text.substr(close + 1);
        const bool fits = rest.empty() || (rest.front() == ':' && parse_port(rest.substr(1)));
        return fits && inside.contains(':') ? parse_address(inside) : std::nullopt;
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
        return parse_address(text);
    }
    // One colon: no IPv6 address has fewer than two.
    return parse_port(text.substr(colon + 1)) ? parse_address(text.substr(0, colon)) : std::nullopt;
}

} // namespace relais::gateway
