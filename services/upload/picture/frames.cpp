#include "upload/picture/frames.hpp"

#include "upload/picture/webp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace relais::upload {
namespace {

constexpr std::size_t number_size = 4;
constexpr std::size_t head_size = 1 + number_size;
constexpr std::size_t sizes_max = 8;

auto bad(std::string_view what) {
    return fail(error_kind::invalid, "bad-frames", std::string(what));
}

void append_number(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += static_cast<char>(static_cast<std::uint8_t>(value >> shift));
    }
}

/// The caller has checked that there are four bytes.
std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < number_size; ++i) {
        out = (out << 8) | static_cast<std::uint8_t>(bytes[at + i]);
    }
    return out;
}

void append_frame(std::string& out, char kind, std::string_view content) {
    out += kind;
    append_number(out, static_cast<std::uint32_t>(content.size()));
    out += content;
}

struct frame {
    char kind = 0;
    std::string_view content;
};

/// Takes the first frame off the bytes; nullopt when there is no whole one.
std::optional<frame> take_frame(std::string_view& bytes) {
    if (bytes.size() < head_size) {
        return std::nullopt;
    }
    const std::size_t length = number_at(bytes, 1);
    if (bytes.size() - head_size < length) {
        return std::nullopt;
    }
    const frame out{bytes.front(), bytes.substr(head_size, length)};
    bytes.remove_prefix(head_size + length);
    return out;
}

template <class Integer>
bool read_integer(std::string_view text, Integer& out) {
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool read_sizes(std::string_view text, std::vector<std::uint32_t>& out) {
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        std::uint32_t size = 0;
        if (!read_integer(text.substr(0, comma), size) || size == 0 || out.size() == sizes_max) {
            return false;
        }
        out.push_back(size);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return !out.empty() && std::ranges::is_sorted(out);
}

bool read_member(std::string_view name, std::string_view value, recipe& out) {
    if (name == "type") {
        out.content_type = value;
        return true;
    }
    if (name == "pixels_max") {
        return read_integer(value, out.pixels_max);
    }
    if (name == "square") {
        out.square = value == "1";
        return true;
    }
    if (name == "quality") {
        return read_integer(value, out.quality) && out.quality >= 1 && out.quality <= 100;
    }
    return name == "sizes" && read_sizes(value, out.sizes);
}

result<recipe> read_recipe(std::string_view text) {
    recipe out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto equals = text.find('=');
        if (end == std::string_view::npos || equals == std::string_view::npos || equals > end ||
            !read_member(text.substr(0, equals), text.substr(equals + 1, end - equals - 1), out)) {
            return bad("recipe");
        }
        text.remove_prefix(end + 1);
    }
    if (out.sizes.empty() || out.pixels_max == 0) {
        return bad("recipe");
    }
    return out;
}

result<made_variant> read_variant(std::string_view content, const recipe& asked,
                                  std::uint32_t size_before) {
    if (content.size() < 3 * number_size) {
        return bad("variant");
    }
    made_variant out{number_at(content, 0), number_at(content, number_size),
                     number_at(content, 2 * number_size),
                     std::string(content.substr(3 * number_size))};
    const bool known = std::ranges::find(asked.sizes, out.size) != asked.sizes.end();
    const bool fits =
        out.width >= 1 && out.width <= out.size && out.height >= 1 && out.height <= out.size;
    if (!known || out.size <= size_before || !fits || !is_bare_webp(out.webp)) {
        return bad("variant");
    }
    return out;
}

result<picture_facts> read_facts(std::string_view content) {
    constexpr std::size_t loader_max = 64;
    if (content.size() < 3 * number_size || content.size() > 3 * number_size + loader_max) {
        return bad("facts");
    }
    return picture_facts{std::string(content.substr(3 * number_size)), number_at(content, 0),
                         number_at(content, number_size), number_at(content, 2 * number_size)};
}

bool is_slug(std::string_view text) {
    constexpr std::size_t longest = 64;
    return !text.empty() && text.size() <= longest && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

} // namespace

std::string write_request(const picture_request& request) {
    const recipe& how = request.recipe;
    const std::string lines =
        fmt::format("type={}\npixels_max={}\nsquare={}\nquality={}\nsizes={}\n", how.content_type,
                    how.pixels_max, how.square ? 1 : 0, how.quality, fmt::join(how.sizes, ","));
    std::string out;
    out.reserve(2 * head_size + lines.size() + request.picture.size());
    append_frame(out, 'R', lines);
    append_frame(out, 'P', request.picture);
    return out;
}

result<picture_request> read_request(std::string_view bytes) {
    const auto first = take_frame(bytes);
    const auto second = take_frame(bytes);
    if (!first || !second || first->kind != 'R' || second->kind != 'P' || !bytes.empty()) {
        return bad("request");
    }
    auto how = read_recipe(first->content);
    if (!how) {
        return fail(how);
    }
    return picture_request{std::move(*how), std::string(second->content)};
}

std::string write_answer(const picture_answer& answer) {
    std::string out;
    if (!answer.reason.empty()) {
        append_frame(out, 'X', answer.reason);
        return out;
    }
    for (const made_variant& each : answer.variants) {
        std::string content;
        content.reserve(3 * number_size + each.webp.size());
        append_number(content, each.size);
        append_number(content, each.width);
        append_number(content, each.height);
        content += each.webp;
        append_frame(out, 'V', content);
    }
    std::string facts;
    append_number(facts, answer.facts.width);
    append_number(facts, answer.facts.height);
    append_number(facts, answer.facts.pages);
    facts += answer.facts.loader;
    append_frame(out, 'D', facts);
    return out;
}

result<picture_answer> read_answer(std::string_view bytes, const recipe& asked) {
    picture_answer out;
    std::uint32_t size_before = 0;
    while (const auto next = take_frame(bytes)) {
        if (next->kind == 'V') {
            auto variant = read_variant(next->content, asked, size_before);
            if (!variant) {
                return fail(variant);
            }
            size_before = variant->size;
            out.variants.push_back(std::move(*variant));
            continue;
        }
        if (next->kind == 'X' && out.variants.empty() && bytes.empty() && is_slug(next->content)) {
            out.reason = next->content;
            return out;
        }
        if (next->kind != 'D' || out.variants.empty() || !bytes.empty()) {
            return bad("order");
        }
        auto facts = read_facts(next->content);
        if (!facts) {
            return fail(facts);
        }
        out.facts = std::move(*facts);
        return out;
    }
    return bad("no end");
}

} // namespace relais::upload
