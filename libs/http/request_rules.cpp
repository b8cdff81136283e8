#include "http/request_rules.hpp"

#include "http/target.hpp"
#include "http/tokens.hpp"

#include <algorithm>
#include <array>

namespace relais::http::detail {
namespace {

// TRACE and CONNECT have no place in front of applications; others nobody here understands.
constexpr std::array<std::string_view, 7> methods{"GET",   "POST",   "HEAD",   "PUT",
                                                  "PATCH", "DELETE", "OPTIONS"};

} // namespace

std::unexpected<error> refuse(const refusal& why) {
    return fail(error_kind::invalid, std::string(why.slug), std::string(why.detail));
}

void reset(request_head& head) {
    auto path = std::move(head.path);
    auto fields = std::move(head.fields);
    path.clear();
    fields.clear();
    head = request_head{};
    head.path = std::move(path);
    head.fields = std::move(fields);
}

refusal read_method(std::string_view method, request_head& head) {
    if (!is_token(method)) {
        return {malformed, "the method has a byte that is not allowed"};
    }
    const auto* const known = std::ranges::find(methods, method);
    if (known == methods.end()) {
        return {"unknown-method", "the method is not known here"};
    }
    head.method = *known;
    return {};
}

refusal read_path(std::string_view target, const gate_limits& limits, request_head& head) {
    if (target.size() > limits.target_bytes_max) {
        return {"uri-too-long", "the target is too long"};
    }
    if (target == "*" && head.method == "OPTIONS") {
        head.path = "*";
        return {};
    }
    const auto question = std::min(target.find('?'), target.size());
    head.has_query = question < target.size();
    head.query = head.has_query ? target.substr(question + 1) : std::string_view();
    std::string_view path = target.substr(0, question);
    if (path.empty() && !head.host.empty()) {
        path = "/"; // "http://host?x"
    }
    if (!normalise_path(path, head.path)) {
        return {malformed, "the target's path is not one"};
    }
    if (!is_valid_query(head.query)) {
        return {malformed, "the target's query has a byte or an escape that is not allowed"};
    }
    return {};
}

refusal find_host(request_head& head, field_view*& host) {
    host = nullptr;
    for (auto& field : head.fields) {
        if (equal_names(field.name, "host")) {
            if (host != nullptr) {
                return {malformed, "more than one Host"};
            }
            host = &field;
        }
    }
    if (host != nullptr && !is_valid_host(host->value)) {
        return {malformed, "a Host that is not one"};
    }
    return {};
}

void drop_underscored(request_head& head) {
    std::erase_if(head.fields, [](const field_view& field) {
        return field.name.find('_') != std::string_view::npos;
    });
}

refusal read_expectation(request_head& head) {
    for (const auto& [name, value] : head.fields) {
        if (equal_names(name, "expect")) {
            if (!equal_names(value, "100-continue")) {
                return {"expectation-failed", "100-continue is the only expectation"};
            }
            // Nobody who speaks HTTP/1.0 expects it (RFC 9110 §10.1.1).
            head.expect_continue = head.version_major == 2 || head.version_minor == 1;
        }
    }
    return {};
}

} // namespace relais::http::detail
