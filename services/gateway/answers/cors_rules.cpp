#include "gateway/answers/cors_rules.hpp"

#include "http/target.hpp"
#include "http/tokens.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::string_view scheme_end = "://";
constexpr std::string_view access_control = "access-control-";
constexpr std::string_view any = "*";
constexpr std::size_t asked_max = 1024;

origin_pattern parse(std::string_view text) {
    const auto star = text.find("://*.");
    if (star == std::string_view::npos) {
        return {"", std::string(text)};
    }
    return {std::string(text.substr(0, star + scheme_end.size())),
            std::string(text.substr(star + scheme_end.size() + 1))};
}

bool is_origin(std::string_view text) {
    if (text == any || text == "null") {
        return true;
    }
    const auto at = text.find(scheme_end);
    if (at == std::string_view::npos || at == 0) {
        return false;
    }
    auto host = text.substr(at + scheme_end.size());
    if (host.starts_with("*.")) {
        host.remove_prefix(2);
    }
    const bool lower = std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    return lower && !host.empty() && http::is_valid_host(host);
}

bool is_access_control(std::string_view name) {
    return name.size() > access_control.size() &&
           http::equal_names(name.substr(0, access_control.size()), access_control);
}

/// Whether this may stand in the answer as a list of names.
bool is_name_list(std::string_view asked) {
    std::string_view member;
    while (http::next_list_member(asked, member)) {
        if (!http::is_token(member)) {
            return false;
        }
    }
    return true;
}

} // namespace

bool origin_pattern::matches(std::string_view origin) const {
    if (scheme.empty()) {
        return origin == rest;
    }
    if (!origin.starts_with(scheme) || !origin.ends_with(rest) ||
        origin.size() <= scheme.size() + rest.size()) {
        return false;
    }
    // "https://evil.test/.example" is no origin, but who says that everybody sends origins.
    const auto below = origin.substr(scheme.size(), origin.size() - scheme.size() - rest.size());
    return std::ranges::all_of(below, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    });
}

std::vector<std::string> cors_rules::problems(const settings& given) {
    std::vector<std::string> out;
    if (given.origins.empty()) {
        out.emplace_back("no origin is named");
    }
    for (const auto& each : given.origins) {
        if (!is_origin(each)) {
            out.push_back(fmt::format("origin \"{}\": expected https://host, https://*.host, in "
                                      "lower case and without a path, or *",
                                      each));
        }
    }
    const bool anybody = std::ranges::find(given.origins, any) != given.origins.end();
    if (anybody && given.origins.size() > 1) {
        out.emplace_back("origin \"*\" stands alone");
    }
    if (anybody && given.credentials) {
        out.emplace_back("credentials need named origins, not \"*\": every site could act for "
                         "whoever visits it");
    }
    for (const auto* names : {&given.methods, &given.request_headers, &given.exposed_headers}) {
        for (const auto& each : *names) {
            if (!http::is_token(each)) {
                out.push_back(fmt::format("\"{}\" is no name", each));
            }
        }
    }
    return out;
}

cors_rules::cors_rules(const settings& given) : credentials_(given.credentials) {
    for (const auto& each : given.origins) {
        anybody_ = anybody_ || each == any;
        origins_.push_back(parse(each));
    }
    any_header_ = std::ranges::find(given.request_headers, any) != given.request_headers.end();
    methods_ = fmt::format("{}", fmt::join(given.methods, ", "));
    headers_ = fmt::format("{}", fmt::join(given.request_headers, ", "));
    exposed_ = fmt::format("{}", fmt::join(given.exposed_headers, ", "));
    max_age_ = given.max_age.count() > 0 ? std::to_string(given.max_age.count()) : "";
}

bool cors_rules::allows(std::string_view origin) const {
    return anybody_ || std::ranges::any_of(
                           origins_, [origin](const auto& each) { return each.matches(origin); });
}

void cors_rules::allow_origin(std::string_view origin, answer_head& to) const {
    to.fields.push_back({"Access-Control-Allow-Origin", anybody_ ? any : origin});
    if (credentials_) {
        to.fields.push_back({"Access-Control-Allow-Credentials", "true"});
    }
}

void cors_rules::apply(std::string_view origin, answer_head& to) const {
    std::erase_if(to.fields, [](const auto& field) { return is_access_control(field.name); });
    if (!anybody_) {
        to.fields.push_back({"Vary", "Origin"}); // also when this one had none: caches must know
    }
    if (origin.empty()) {
        return;
    }
    allow_origin(origin, to);
    if (!exposed_.empty()) {
        to.fields.push_back({"Access-Control-Expose-Headers", exposed_});
    }
}

void cors_rules::apply_preflight(std::string_view origin, std::string_view asked,
                                 answer_head& to) const {
    allow_origin(origin, to);
    to.fields.push_back({"Access-Control-Allow-Methods", methods_});
    if (any_header_ && !asked.empty() && asked.size() <= asked_max && is_name_list(asked)) {
        // "*" itself would not allow Authorization, nor anything together with credentials.
        to.fields.push_back({"Access-Control-Allow-Headers", asked});
    } else if (!any_header_ && !headers_.empty()) {
        to.fields.push_back({"Access-Control-Allow-Headers", headers_});
    }
    if (!max_age_.empty()) {
        to.fields.push_back({"Access-Control-Max-Age", max_age_});
    }
    to.fields.push_back(
        {"Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"});
}

std::string_view preflight_method(const http::request_head& head) {
    return head.find("access-control-request-method").value_or("");
}

bool is_preflight(const http::request_head& head) {
    return head.method == "OPTIONS" && head.find("origin") && !preflight_method(head).empty();
}

} // namespace relais::gateway
