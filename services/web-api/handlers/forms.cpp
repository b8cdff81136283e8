#include "web-api/handlers/forms.hpp"

#include "web-api/domain/plain_text.hpp"

#include <algorithm>
#include <charconv>

namespace relais::web_api {
namespace {

bool is_json(std::string_view content_type) {
    std::string type(content_type.substr(0, content_type.find(';')));
    while (!type.empty() && type.back() == ' ') {
        type.pop_back();
    }
    std::ranges::transform(type, type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return type == "application/json";
}

error in_query(error failed, std::string_view name) {
    failed.detail = "query parameter " + std::string(name) + ": " + failed.detail;
    return failed;
}

} // namespace

http::json_reader read_body(const http::request& request) {
    http::json_reader body(request.body);
    if (!is_json(request.header("content-type"))) {
        body.problem("", "unsupported-media-type", "the content type must be application/json");
    }
    return body;
}

void field_checks::note(const std::string& pointer, error refused) {
    const bool known = std::ranges::any_of(
        problems_, [&](const error& problem) { return problem.pointer == pointer; });
    const bool unreadable = std::ranges::any_of(
        problems_, [](const error& problem) { return problem.pointer.empty(); });
    if (!known && !unreadable) {
        refused.pointer = pointer;
        problems_.push_back(std::move(refused));
    }
}

result<void> check_query(const http::request& request,
                         std::initializer_list<std::string_view> names) {
    std::string_view rest = request.query;
    while (!rest.empty()) {
        const auto end = rest.find('&');
        const auto one = rest.substr(0, end);
        const auto name = one.substr(0, one.find('='));
        if (std::ranges::find(names, name) == names.end()) {
            return fail(error_kind::invalid, "unknown-parameter",
                        "the query has a parameter that this list does not know");
        }
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return {};
}

result<std::optional<std::string>> query_text(const http::request& request, std::string_view name,
                                              std::size_t max) {
    auto given = request.query_parameter(name);
    if (!given || !*given) {
        return given;
    }
    auto text = single_line(**given, max);
    if (!text) {
        return std::unexpected(in_query(text.error(), name));
    }
    return std::optional(std::move(*text));
}

result<page_request> read_page(const http::request& request, const cursor_codec& cursors,
                               std::string_view scope) {
    page_request page;
    const auto limit = request.query_parameter("limit");
    if (!limit) {
        return fail(limit);
    }
    if (const auto& text = *limit) {
        const auto* end = text->data() + text->size();
        const auto read = std::from_chars(text->data(), end, page.limit);
        if (read.ec != std::errc() || read.ptr != end || page.limit < 1 ||
            page.limit > page_limit_max) {
            return fail(error_kind::invalid, "invalid-limit",
                        "query parameter limit: must be 1 to 100");
        }
    }
    const auto cursor = request.query_parameter("cursor");
    if (!cursor) {
        return fail(cursor);
    }
    if (*cursor) {
        const auto after = cursors.decode(**cursor, scope);
        if (!after) {
            return std::unexpected(in_query(after.error(), "cursor"));
        }
        page.after = *after;
    }
    return page;
}

} // namespace relais::web_api
