#include "trace/context.hpp"

#include "ids/encoding.hpp"
#include "ids/random.hpp"

#include <algorithm>
#include <span>

namespace relais::trace {
namespace {

/// As many digits as `out` has room for.
bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
    int all = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        all |= high | low; // negative once one of them is
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return all >= 0;
}

bool has_upper_case(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_zero(std::span<const std::uint8_t> bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

} // namespace

context context::start() {
    context made;
    unique_bytes(made.trace_id);
    unique_bytes(made.span_id);
    return made;
}

std::optional<context> context::parse(std::string_view traceparent) {
    constexpr std::size_t size = 55;
    const bool separated = traceparent.size() >= size && traceparent[2] == '-' &&
                           traceparent[35] == '-' && traceparent[52] == '-';
    // A later version may append fields; version 00 may not, and ff is forbidden (§3.2.2).
    if (!separated || has_upper_case(traceparent.substr(0, size)) ||
        traceparent.starts_with("ff") ||
        (traceparent.starts_with("00") && traceparent.size() != size) ||
        (traceparent.size() > size && traceparent[size] != '-')) {
        return std::nullopt;
    }
    context parsed;
    std::array<std::uint8_t, 1> version{};
    std::array<std::uint8_t, 1> flags{};
    if (!read_hex(traceparent, version) || !read_hex(traceparent.substr(3), parsed.trace_id) ||
        !read_hex(traceparent.substr(36), parsed.span_id) ||
        !read_hex(traceparent.substr(53), flags) || is_zero(parsed.trace_id) ||
        is_zero(parsed.span_id)) {
        return std::nullopt;
    }
    parsed.sampled = (flags[0] & 1) != 0;
    return parsed;
}

context context::child() const {
    context made = *this;
    unique_bytes(made.span_id);
    return made;
}

std::array<char, 55> context::traceparent_characters() const {
    std::array<char, 55> out{'0', '0', '-'};
    char* at = write_hex(trace_id, out.data() + 3);
    *at++ = '-';
    at = write_hex(span_id, at);
    *at++ = '-';
    *at++ = '0';
    *at = sampled ? '1' : '0';
    return out;
}

std::string context::traceparent() const {
    const auto all = traceparent_characters();
    return {all.data(), all.size()};
}

std::string context::trace_id_text() const {
    return to_hex(trace_id);
}

std::string context::span_id_text() const {
    return to_hex(span_id);
}

} // namespace relais::trace
