#include "notification/rendering/tags.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::notification {
namespace {

constexpr std::string_view text_open = "{{#t}}";
constexpr std::string_view text_close = "{{/t}}";

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

int line_at(std::string_view source, std::size_t place) {
    return 1 + static_cast<int>(std::ranges::count(source.substr(0, place), '\n'));
}

/// What is wrong with a tag's content, or an empty string.
std::string refusal(std::string_view content) {
    if (content.empty()) {
        return "an empty tag";
    }
    switch (content.front()) {
    case '{':
    case '&':
        return "unescaped values are not allowed";
    case '#':
    case '^':
    case '/':
        return fmt::format("section {{{{{}}}}} is not allowed; only {{{{#t}}}}", content);
    case '=':
        return "other delimiters are not allowed";
    default:
        return {};
    }
}

} // namespace

std::vector<tag> find_tags(std::string_view source, std::string_view file,
                           std::vector<std::string>& problems) {
    std::vector<tag> out;
    std::size_t place = 0;
    while ((place = source.find("{{", place)) != std::string_view::npos) {
        tag found;
        found.line = line_at(source, place);
        found.begin = place;
        const auto note = [&](std::string_view what) {
            problems.push_back(fmt::format("{}:{}: {}", file, found.line, what));
        };
        const bool is_text = source.substr(place).starts_with(text_open);
        const auto inner = place + (is_text ? text_open.size() : 2);
        const auto closing = is_text ? text_close : std::string_view("}}");
        const auto end = source.find(closing, inner);
        if (end == std::string_view::npos) {
            note("a tag is not closed");
            return out;
        }
        const auto content = source.substr(inner, end - inner);
        found.end = end + closing.size();
        place = found.end;
        found.name = trimmed(content);
        if (is_text) {
            found.what = tag::kind::text;
        } else if (content.starts_with('>')) {
            found.what = tag::kind::part;
            found.name = trimmed(content.substr(1));
        } else if (content.starts_with('!')) {
            found.what = tag::kind::comment;
        } else if (const auto refused = refusal(content); !refused.empty()) {
            note(refused);
            continue;
        }
        out.push_back(std::move(found));
    }
    return out;
}

} // namespace relais::notification
