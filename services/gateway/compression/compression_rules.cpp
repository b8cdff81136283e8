#include "gateway/compression/compression_rules.hpp"

#include "http/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr std::uint64_t usual_bytes_min = 1024;
constexpr std::string_view event_stream = "text/event-stream";
constexpr std::size_t type_bytes_max = 80;

constexpr std::array<std::string_view, 15> usual_types{"application/javascript",
                                                       "application/json",
                                                       "application/ld+json",
                                                       "application/problem+json",
                                                       "application/rss+xml",
                                                       "application/wasm",
                                                       "application/xhtml+xml",
                                                       "application/xml",
                                                       "image/svg+xml",
                                                       "text/css",
                                                       "text/csv",
                                                       "text/html",
                                                       "text/javascript",
                                                       "text/plain",
                                                       "text/xml"};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return out;
}

bool is_type(std::string_view text) {
    const auto slash = text.find('/');
    return slash != std::string_view::npos && http::is_token(text.substr(0, slash)) &&
           http::is_token(text.substr(slash + 1)) && text.size() <= type_bytes_max;
}

/// Fields with which a coded body would no longer be what the service described, or is coded.
bool forbids(const http::field_view& field) {
    switch (field.name.size()) {
    case 6:
        return http::equal_names(field.name, "digest");
    case 11:
        return http::equal_names(field.name, "content-md5") ||
               http::equal_names(field.name, "repr-digest");
    case 13:
        return http::equal_names(field.name, "content-range") ||
               (http::equal_names(field.name, "cache-control") &&
                http::list_has(field.value, "no-transform"));
    case 14:
        return http::equal_names(field.name, "content-digest");
    case 16:
        return http::equal_names(field.name, "content-encoding") &&
               !http::equal_names(field.value, "identity");
    default:
        return false;
    }
}

} // namespace

std::vector<std::string> compression_rules::problems(const settings& given) {
    std::vector<std::string> out;
    for (const auto& each : given.types) {
        if (!is_type(each)) {
            out.push_back(fmt::format("type \"{}\": expected one like text/html", each));
        }
        if (http::equal_names(each, event_stream)) {
            out.emplace_back("text/event-stream is never compressed: events would wait");
        }
    }
    for (const auto& each : given.codings) {
        const auto which = coding_named(each);
        if (!which || *which == coding::identity) {
            out.push_back(fmt::format("coding \"{}\": expected zstd, br or gzip", each));
        }
    }
    if (given.gzip_level > 9) {
        out.emplace_back("gzip_level is 1 to 9");
    }
    if (given.brotli_level > 11) {
        out.emplace_back("brotli_level is 1 to 11");
    }
    if (given.zstd_level > 19) {
        out.emplace_back("zstd_level is 1 to 19");
    }
    return out;
}

compression_rules::compression_rules(const settings& given)
    : bytes_min_(given.bytes_min == 0 ? usual_bytes_min : given.bytes_min) {
    for (const auto& each : given.types) {
        types_.push_back(lower(each));
    }
    if (types_.empty()) {
        types_.assign(usual_types.begin(), usual_types.end());
    }
    std::ranges::sort(types_);
    for (const auto& each : given.codings) {
        if (const auto which = coding_named(each)) {
            offered_.push_back(*which);
        }
    }
    if (offered_.empty()) {
        offered_ = {coding::zstd, coding::brotli, coding::gzip};
    }
    const auto set = [this](coding which, std::uint32_t level, int usual) {
        levels_[static_cast<std::size_t>(which)] = level == 0 ? usual : static_cast<int>(level);
    };
    set(coding::gzip, given.gzip_level, 5);
    set(coding::brotli, given.brotli_level, 4);
    set(coding::zstd, given.zstd_level, 3);
}

bool compression_rules::lists(std::string_view content_type) const {
    const auto type = http::trim_blanks(content_type.substr(0, content_type.find(';')));
    std::array<char, type_bytes_max> small{};
    if (type.size() > small.size()) {
        return false;
    }
    std::ranges::transform(type, small.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return std::ranges::binary_search(types_, std::string_view(small.data(), type.size()));
}

bool compression_rules::cover(const answer_head& head) const {
    if (head.status < 200 || head.status == 204 || head.status == 206 || head.status == 304 ||
        (head.content_length && *head.content_length < bytes_min_)) {
        return false;
    }
    bool listed = false;
    for (const auto& field : head.fields) {
        if (forbids(field)) {
            return false;
        }
        if (field.name.size() == 12 && http::equal_names(field.name, "content-type")) {
            listed = lists(field.value);
        }
    }
    return listed;
}

} // namespace relais::gateway
