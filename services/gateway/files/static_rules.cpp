#include "gateway/files/static_rules.hpp"

#include "http/target.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relais::gateway {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 37> types{{
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"gif", "image/gif"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/x-icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"ogg", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xml", "application/xml"},
    {"zip", "application/zip"},
}};

static_assert(std::ranges::is_sorted(types, {}, [](const auto& each) { return each.first; }));

bool is_plain(std::string_view path) {
    return std::ranges::none_of(path,
                                [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '\\'; });
}

bool has_hidden_segment(std::string_view path) {
    constexpr std::string_view well_known = ".well-known";
    if (path == well_known || path.starts_with(".well-known/")) {
        path.remove_prefix(well_known.size());
    }
    return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

} // namespace

std::string path_of(const std::string& prefix, const std::string& name) {
    return (prefix == "/" ? "" : prefix) + "//" + name;
}

std::optional<std::string> path_below(std::string_view prefix, std::string_view path) {
    path.remove_prefix(std::min(path.size(), prefix == "/" ? 0 : prefix.size()));
    auto decoded = http::percent_decode(path, false);
    if (!decoded) {
        return std::nullopt;
    }
    std::string_view below = *decoded;
    while (below.starts_with('/')) {
        below.remove_prefix(1);
    }
    while (below.ends_with('/')) {
        below.remove_suffix(1);
    }
    if (!is_plain(below) || has_hidden_segment(below) ||
        below.find("//") != std::string_view::npos) {
        return std::nullopt;
    }
    return std::string(below);
}

std::string_view content_type_of(std::string_view name) {
    constexpr std::string_view unknown = "application/octet-stream";
    const auto dot = name.rfind('.');
    const auto extension = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    std::string lower(extension);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    const auto found =
        std::ranges::lower_bound(types, lower, {}, [](const auto& each) { return each.first; });
    return found != types.end() && found->first == lower ? found->second : unknown;
}

} // namespace relais::gateway
