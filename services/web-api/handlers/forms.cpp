#include "web-api/handlers/forms.hpp"

#include "web-api/domain/plain_text.hpp"

#include <algorithm>
#include <charconv>

namespace relais::web_api {
namespace {

error in_query(error failed, std::string_view name) {
    failed.pointer = "/query/" + std::string(name);
    return failed;
}

} // namespace

std::vector<error> refuse_members(const http::request& request) {
    if (request.body.empty()) {
        return {};
    }
    return http::json_reader(request.body).finish();
}

void field_checks::note(const std::string& pointer, error refused) {
    // A member that is not what it should be makes everything above it wrong too: said once.
    const bool known = std::ranges::any_of(problems_, [&](const error& problem) {
        return problem.pointer.empty() || problem.pointer.starts_with(pointer);
    });
    if (!known) {
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
                        "the query has a parameter that this list does not know", "/query");
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
            return fail(error_kind::invalid, "invalid-limit", "must be 1 to 100", "/query/limit");
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
