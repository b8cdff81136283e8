#include "inbox/dead_letter_fingerprint.hpp"

#include "ids/encoding.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace json = boost::json;

namespace relais::inbox {
namespace {

constexpr std::size_t pattern_size_max = 200;
constexpr std::size_t digest_size = 12;
constexpr std::string_view quotes = "\"'`";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Of a word: letters, digits, and what holds the parts of ids together.
bool is_word(char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

std::string word_pattern(std::string_view word) {
    if (!std::ranges::any_of(word, is_digit)) {
        return std::string(word);
    }
    return std::ranges::any_of(word, is_letter) ? "<id>" : "<n>";
}

/// Where a part in quotes ends; npos: it is an apostrophe, or has no end.
std::size_t end_of_quote(std::string_view text, std::size_t begin) {
    const bool inside_word = begin > 0 && is_word(text[begin - 1]);
    return inside_word ? std::string_view::npos : text.find(text[begin], begin + 1);
}

} // namespace

std::string detail_pattern(std::string_view detail) {
    std::string pattern;
    for (std::size_t i = 0; i < detail.size();) {
        const char c = detail[i];
        const auto close = quotes.contains(c) ? end_of_quote(detail, i) : std::string_view::npos;
        if (close != std::string_view::npos) {
            pattern += "\"…\"";
            i = close + 1;
        } else if (is_word(c)) {
            std::size_t end = i;
            while (end < detail.size() && is_word(detail[end])) {
                ++end;
            }
            pattern += word_pattern(detail.substr(i, end - i));
            i = end;
        } else {
            const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
            if (!space || (!pattern.empty() && pattern.back() != ' ')) {
                pattern += space ? ' ' : c;
            }
            ++i;
        }
    }
    if (pattern.size() > pattern_size_max) {
        pattern.resize(pattern_size_max);
        // The cut must not go through a character.
        while (!pattern.empty() && (static_cast<unsigned char>(pattern.back()) & 0x80U) != 0) {
            pattern.pop_back();
        }
    }
    return pattern;
}

std::string last_detail(std::string_view errors) {
    boost::system::error_code failed;
    const auto parsed = json::parse({errors.data(), errors.size()}, failed);
    if (failed || !parsed.is_array() || parsed.get_array().empty() ||
        !parsed.get_array().back().is_object()) {
        return {};
    }
    const auto* detail = parsed.get_array().back().get_object().if_contains("detail");
    if (detail == nullptr || !detail->is_string()) {
        return {};
    }
    return {detail->get_string().begin(), detail->get_string().end()};
}

std::string fingerprint(std::string_view type, std::string_view reason, std::string_view pattern) {
    std::string all(type);
    all.append("\n").append(reason).append("\n").append(pattern);
    return to_hex(sha256(as_bytes(all))).substr(0, digest_size);
}

} // namespace relais::inbox
