#pragma once

#include "http/json_reader.hpp"
#include "http/message.hpp"
#include "web-api/domain/cursor.hpp"

#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// What was read from a request, or everything that is wrong with it.
template <class T>
using parsed = std::expected<T, std::vector<error>>;

/// Problems of a request that says everything with its path: its body must be empty, or {}.
std::vector<error> refuse_members(const http::request& request);

/// Runs the domain's factories over the members of a body and collects what they refuse. A member
/// that the reader complained about already is not complained about twice.
class field_checks {
public:
    explicit field_checks(std::vector<error> found) : problems_(std::move(found)) {}

    template <class T>
    std::optional<T> take(const std::string& pointer, result<T> value) {
        if (value) {
            return std::move(*value);
        }
        note(pointer, value.error());
        return std::nullopt;
    }

    void require(const std::string& pointer, const result<void>& checked) {
        if (!checked) {
            note(pointer, checked.error());
        }
    }

    bool failed() const {
        return !problems_.empty();
    }

    std::unexpected<std::vector<error>> problems() && {
        return std::unexpected(std::move(problems_));
    }

private:
    void note(const std::string& pointer, error refused);

    std::vector<error> problems_;
};

/// An id of the path. Error: `not_found`: what cannot be an id cannot exist.
template <class Id>
result<Id> path_id(const http::request& request, std::string_view name = "id") {
    auto value = Id::parse(request.path_parameter(name));
    if (!value) {
        return fail(error_kind::not_found, "not-found", "there is no such thing");
    }
    return value;
}

/// A query that has only parameters of these names. Error: `invalid` / "unknown-parameter".
result<void> check_query(const http::request& request,
                         std::initializer_list<std::string_view> names);

/// A filter: a single line of text. Errors: as single_line(), and those of http::request.
result<std::optional<std::string>> query_text(const http::request& request, std::string_view name,
                                              std::size_t max);

inline constexpr std::size_t page_limit_default = 20;
inline constexpr std::size_t page_limit_max = 100;

/// Which part of a list is asked for: query parameters `limit` and `cursor`.
struct page_request {
    std::size_t limit = page_limit_default;
    list_position after = list_position::start();
};

/// Errors: `invalid` / "invalid-limit", "invalid-cursor".
result<page_request> read_page(const http::request& request, const cursor_codec& cursors,
                               std::string_view scope);

} // namespace relais::web_api
