#include "gateway/client_address/proxy_protocol_v2.hpp"

#include "gateway/client_address/crc32c.hpp"

#include <algorithm>
#include <array>

namespace relais::gateway {
namespace {

constexpr std::size_t fixed_bytes = 16; ///< signature, version and command, family, length
constexpr std::size_t v4_block_bytes = 12;
constexpr std::size_t v6_block_bytes = 36;
constexpr std::size_t unix_block_bytes = 216;

enum tlv_type : unsigned { tlv_crc32c = 0x03, tlv_unique_id = 0x05, tlv_ssl = 0x20 };

auto malformed(std::string_view what) {
    return fail(error_kind::invalid, "malformed-proxy-header", std::string(what));
}

unsigned byte_at(std::string_view bytes, std::size_t place) {
    return static_cast<unsigned char>(bytes[place]);
}

std::uint16_t u16_at(std::string_view bytes, std::size_t place) {
    return static_cast<std::uint16_t>(byte_at(bytes, place) << 8 | byte_at(bytes, place + 1));
}

std::uint32_t u32_at(std::string_view bytes, std::size_t place) {
    return std::uint32_t{u16_at(bytes, place)} << 16 | u16_at(bytes, place + 2);
}

ip_address v4_at(std::string_view block, std::size_t place) {
    return boost::asio::ip::address_v4(u32_at(block, place));
}

ip_address v6_at(std::string_view block, std::size_t place) {
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(block.substr(place, bytes.size()), bytes.begin());
    return to_address(to_bits(bytes));
}

struct tlv {
    unsigned type = 0;
    std::string_view value;
};

/// Takes a TLV off the front; false when it does not fit.
bool take_tlv(std::string_view& bytes, tlv& out) {
    constexpr std::size_t head_bytes = 3;
    if (bytes.size() < head_bytes) {
        return false;
    }
    const std::size_t length = u16_at(bytes, 1);
    if (bytes.size() - head_bytes < length) {
        return false;
    }
    out = {byte_at(bytes, 0), bytes.substr(head_bytes, length)};
    bytes.remove_prefix(head_bytes + length);
    return true;
}

/// One byte of flags, four of the certificate's verification, TLVs.
bool read_ssl(std::string_view value, proxy_header& out) {
    constexpr std::size_t before_tlvs = 5;
    constexpr unsigned client_ssl = 0x01;
    if (value.size() < before_tlvs) {
        return false;
    }
    out.over_tls = (byte_at(value, 0) & client_ssl) != 0;
    value.remove_prefix(before_tlvs);
    tlv each;
    while (!value.empty()) {
        if (!take_tlv(value, each)) {
            return false;
        }
    }
    return true;
}

/// The sum is made with zeros in its own place.
bool is_sum_right(std::string_view whole, std::string_view sum) {
    const auto place = static_cast<std::size_t>(sum.data() - whole.data());
    constexpr std::string_view zeros{"\0\0\0\0", 4};
    const auto before = crc32c(zeros, crc32c(whole.substr(0, place)));
    return crc32c(whole.substr(place + sum.size()), before) == u32_at(sum, 0);
}

bool read_tlvs(std::string_view whole, std::string_view tlvs, proxy_header& out) {
    constexpr std::size_t sum_bytes = 4;
    constexpr std::size_t unique_id_bytes_max = 128;
    bool summed = false;
    while (!tlvs.empty()) {
        tlv each;
        bool good = take_tlv(tlvs, each);
        if (good && each.type == tlv_crc32c) {
            good = !summed && each.value.size() == sum_bytes && is_sum_right(whole, each.value);
            summed = true;
        } else if (good && each.type == tlv_unique_id) {
            good = each.value.size() <= unique_id_bytes_max;
        } else if (good && each.type == tlv_ssl) {
            good = read_ssl(each.value, out);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

/// Bytes of the two addresses and ports; 0 for a family without any.
std::size_t block_bytes(unsigned family) {
    constexpr std::array<std::size_t, 4> sizes{0, v4_block_bytes, v6_block_bytes, unix_block_bytes};
    return sizes[family];
}

void read_addresses(std::string_view block, proxy_header& out) {
    const bool v4 = block.size() == v4_block_bytes;
    const std::size_t size = v4 ? 4 : 16;
    out.use_peer = false;
    out.source = v4 ? v4_at(block, 0) : v6_at(block, 0);
    out.destination = v4 ? v4_at(block, size) : v6_at(block, size);
    out.source_port = u16_at(block, 2 * size);
    out.destination_port = u16_at(block, 2 * size + 2);
}

/// What a relayed connection's header says: all of its bytes.
result<void> read_relayed(std::string_view whole, proxy_header& out) {
    const unsigned family = byte_at(whole, 13) >> 4;
    const unsigned transport = byte_at(whole, 13) & 0x0f;
    if (family > 3 || transport > 2) {
        return malformed("an unknown family or transport");
    }
    if (family == 0 || transport == 0) {
        return {};
    }
    const auto rest = whole.substr(fixed_bytes);
    const auto size = block_bytes(family);
    if (rest.size() < size) {
        return malformed("too short for its addresses");
    }
    if (size != unix_block_bytes) {
        read_addresses(rest.substr(0, size), out);
    }
    if (!read_tlvs(whole, rest.substr(size), out)) {
        return malformed("a TLV that does not fit, or a wrong sum");
    }
    return {};
}

} // namespace

result<std::size_t> parse_proxy_v2(std::string_view buffer, std::size_t block_bytes_max,
                                   proxy_header& header) {
    constexpr unsigned local = 0x20;
    constexpr unsigned relayed = 0x21;
    if (buffer.size() <= proxy_v2_signature.size()) {
        return 0;
    }
    const auto command = byte_at(buffer, proxy_v2_signature.size());
    if (command != local && command != relayed) {
        return malformed("an unknown version or command");
    }
    if (buffer.size() < fixed_bytes) {
        return 0;
    }
    const std::size_t length = u16_at(buffer, fixed_bytes - 2);
    if (length > block_bytes_max) {
        return malformed("longer than is allowed");
    }
    if (buffer.size() < fixed_bytes + length) {
        return 0;
    }
    proxy_header read;
    if (command == relayed) {
        const auto done = read_relayed(buffer.substr(0, fixed_bytes + length), read);
        if (!done) {
            return fail(done);
        }
    }
    header = read;
    return fixed_bytes + length;
}

} // namespace relais::gateway
