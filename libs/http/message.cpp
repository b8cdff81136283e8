#include "http/message.hpp"

#include "http/target.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <cassert>

namespace relais::http {

void fields::add(std::string name, std::string value) {
    const bool fits = is_token(name) && is_field_value(value);
    assert(fits && "a header field that could inject another one");
    if (fits) {
        entries_.emplace_back(std::move(name), std::move(value));
    }
}

void fields::set(std::string name, std::string value) {
    remove(name);
    add(std::move(name), std::move(value));
}

void fields::remove(std::string_view name) {
    std::erase_if(entries_, [&](const entry& each) { return equal_names(each.first, name); });
}

std::optional<std::string_view> fields::find(std::string_view name) const {
    for (const auto& [key, value] : entries_) {
        if (equal_names(key, name)) {
            return value;
        }
    }
    return std::nullopt;
}

bool fields::has(std::string_view name) const {
    return find(name).has_value();
}

std::size_t fields::count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [&](const entry& each) { return equal_names(each.first, name); }));
}

bool identity::has_role(std::string_view role) const {
    return std::ranges::find(roles, role) != roles.end();
}

std::string_view request::header(std::string_view name) const {
    return headers.find(name).value_or(std::string_view());
}

result<std::optional<std::string>> request::query_parameter(std::string_view name) const {
    std::optional<std::string> found;
    std::string_view rest = query;
    while (!rest.empty()) {
        const auto end = std::min(rest.find('&'), rest.size());
        const auto pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto equals = std::min(pair.find('='), pair.size());
        const auto key = percent_decode(pair.substr(0, equals), true);
        if (!key || *key != name) {
            continue;
        }
        if (found) {
            return fail(error_kind::invalid, "repeated-parameter",
                        "the parameter stands in the query twice", "/query/" + std::string(name));
        }
        auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!value) {
            return fail(error_kind::invalid, "malformed-parameter",
                        "the parameter is not percent-encoded UTF-8",
                        "/query/" + std::string(name));
        }
        found = std::move(*value);
    }
    return found;
}

const std::string& request::path_parameter(std::string_view name) const {
    const auto found = path_parameters.find(name);
    assert(found != path_parameters.end() && "the route's template has no such parameter");
    static const std::string none;
    return found == path_parameters.end() ? none : found->second;
}

events::cause request::cause() const {
    return events::cause::from_request(trace, request_id);
}

response response::empty(int status) {
    response made;
    made.status = status;
    return made;
}

response response::json(int status, std::string body) {
    return text(status, std::move(body), "application/json");
}

response response::text(int status, std::string body, std::string content_type) {
    response made;
    made.status = status;
    made.headers.set("Content-Type", std::move(content_type));
    made.body = std::move(body);
    return made;
}

} // namespace relais::http
