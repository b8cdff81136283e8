#include "gateway/identity/cookie_session.hpp"

#include "http/tokens.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

/// Takes the next "name=value" from the text; false: there is none.
bool next_cookie(std::string_view& rest, std::string_view& cookie) {
    while (!rest.empty()) {
        const auto end = std::min(rest.find(';'), rest.size());
        cookie = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const auto begin = std::min(cookie.find_first_not_of(" \t"), cookie.size());
        cookie.remove_prefix(begin);
        cookie = cookie.substr(0, cookie.find_last_not_of(" \t") + 1);
        if (!cookie.empty()) {
            return true;
        }
    }
    return false;
}

/// Names compare with case: browsers send them as they were set.
bool is_session(std::string_view cookie) {
    return cookie.substr(0, cookie.find('=')) == session_cookie_name;
}

bool is_own_origin(std::string_view origin, std::string_view host, bool https) {
    const std::string_view scheme = https ? "https://" : "http://";
    return origin.starts_with(scheme) && origin.substr(scheme.size()) == host;
}

} // namespace

std::optional<std::string_view> session_cookie(const std::vector<http::field_view>& fields) {
    std::optional<std::string_view> found;
    for (const auto& field : fields) {
        if (!http::equal_names(field.name, "cookie")) {
            continue;
        }
        std::string_view cookie;
        for (auto rest = field.value; next_cookie(rest, cookie);) {
            if (!is_session(cookie)) {
                continue;
            }
            if (found) {
                return std::nullopt;
            }
            const auto equals = std::min(cookie.find('='), cookie.size() - 1);
            found = cookie.substr(equals + 1);
        }
    }
    return found;
}

std::string without_session_cookie(std::string_view cookies) {
    std::string out;
    std::string_view cookie;
    while (next_cookie(cookies, cookie)) {
        if (!is_session(cookie)) {
            out.append(out.empty() ? "" : "; ").append(cookie);
        }
    }
    return out;
}

bool is_made_by_our_pages(const http::request_head& head, bool https,
                          const std::vector<std::string>& trusted) {
    const auto origin = head.find("origin");
    if (origin && std::ranges::find(trusted, *origin) != trusted.end()) {
        return true;
    }
    if (const auto site = head.find("sec-fetch-site")) {
        return *site == "same-origin" || *site == "none";
    }
    return origin && is_own_origin(*origin, head.host, https);
}

} // namespace relais::gateway
