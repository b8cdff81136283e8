#include "gateway/cache/cache_directives.hpp"

#include "http/tokens.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

void take(cache_directives& to, std::string_view member) {
    const auto equals = member.find('=');
    const auto name = http::trim_blanks(member.substr(0, equals));
    auto value = equals == std::string_view::npos ? std::string_view()
                                                  : http::trim_blanks(member.substr(equals + 1));
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
        value = value.substr(1, value.size() - 2);
    }
    const auto is = [name](std::string_view word) {
        return http::equal_names(name, word);
    };
    const auto seconds = [value] {
        return parse_delta_seconds(value).value_or(std::chrono::seconds(0));
    };
    if (is("no-store")) {
        to.no_store = true;
    } else if (is("no-cache")) {
        to.no_cache = true;
    } else if (is("private")) {
        to.is_private = true;
    } else if (is("must-revalidate") || is("proxy-revalidate")) {
        to.must_revalidate = true;
    } else if (is("only-if-cached")) {
        to.only_if_cached = true;
    } else if (is("max-age")) {
        to.max_age = std::min(to.max_age.value_or(seconds()), seconds());
    } else if (is("s-maxage")) {
        to.s_maxage = std::min(to.s_maxage.value_or(seconds()), seconds());
        to.must_revalidate = true;
    } else if (is("stale-while-revalidate")) {
        to.stale_while_revalidate = seconds();
    } else if (is("stale-if-error")) {
        to.stale_if_error = seconds();
    }
}

} // namespace

std::optional<std::chrono::seconds> parse_delta_seconds(std::string_view text) {
    constexpr std::int64_t most = std::int64_t{1} << 31;
    if (text.empty()) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        value = std::min(most, value * 10 + (digit - '0'));
    }
    return std::chrono::seconds(value);
}

cache_directives cache_directives::of(const std::vector<http::field_view>& fields) {
    cache_directives out;
    for (const auto& [name, value] : fields) {
        if (name.size() == 13 && http::equal_names(name, "cache-control")) {
            std::string_view rest = value;
            std::string_view member;
            while (http::next_list_member(rest, member)) {
                take(out, member);
            }
        }
    }
    return out;
}

} // namespace relais::gateway
