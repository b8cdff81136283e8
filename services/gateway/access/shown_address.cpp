#include "gateway/access/shown_address.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace relais::gateway {
namespace {

constexpr std::size_t network_bytes_v4 = 3;
constexpr std::size_t network_bytes_v6 = 6;
constexpr std::size_t groups = 8;

using address = std::array<std::uint8_t, 16>;

void append_integer(std::string& out, unsigned value, int base) {
    std::array<char, 8> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), value, base).ptr;
    out.append(digits.data(), end);
}

void append_v4(std::string& out, const address& bytes) {
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0) {
            out += '.';
        }
        append_integer(out, bytes[i], 10);
    }
}

struct zero_run {
    std::size_t begin = groups;
    std::size_t length = 0;
};

/// The longest run of zero groups, the first of several; one group alone is none (RFC 5952 §4.2).
zero_run longest_zeros(const std::array<unsigned, groups>& group) {
    zero_run best;
    for (std::size_t i = 0; i < groups;) {
        std::size_t end = i;
        while (end < groups && group[end] == 0) {
            ++end;
        }
        if (end - i > std::max<std::size_t>(best.length, 1)) {
            best = {i, end - i};
        }
        i = std::max(end, i + 1);
    }
    return best;
}

void append_v6(std::string& out, const address& bytes) {
    std::array<unsigned, groups> group{};
    for (std::size_t i = 0; i < groups; ++i) {
        group[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
    }
    const auto zeros = longest_zeros(group);
    for (std::size_t i = 0; i < groups; ++i) {
        if (zeros.length > 0 && i == zeros.begin) {
            out += "::";
            i += zeros.length - 1;
            continue;
        }
        if (i > 0 && out.back() != ':') {
            out += ':';
        }
        append_integer(out, group[i], 16);
    }
}

} // namespace

void append_client(std::string& out, const access_record& record, client_shown how) {
    if (how == client_shown::none || record.client_family == address_family::none) {
        return;
    }
    const bool v4 = record.client_family == address_family::v4;
    address bytes = record.client;
    if (how == client_shown::network) {
        const auto kept = v4 ? network_bytes_v4 : network_bytes_v6;
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(), 0);
    }
    if (v4) {
        append_v4(out, bytes);
    } else {
        append_v6(out, bytes);
    }
    if (how == client_shown::network) {
        out += v4 ? "/24" : "/48";
    }
}

} // namespace relais::gateway
