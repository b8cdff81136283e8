#include "upload/domain/magic.hpp"

#include <algorithm>
#include <array>

using namespace std::string_view_literals;

namespace relais::upload {
namespace {

/// PDF readers look for their mark in the first 1024 bytes, browsers for markup in no more.
constexpr std::size_t sniffed_bytes = 1024;
constexpr std::array marks{"%pdf-"sv, "<!doctype"sv, "<html"sv, "<script"sv, "<svg"sv, "<?php"sv};

/// APPNOTE.TXT 4.3.16: a ZIP archive is read from its end, whatever comes before it.
constexpr std::string_view zip_end = "PK\x05\x06"sv;
constexpr std::size_t zip_end_size = 22;
constexpr std::size_t zip_comment_max = 65'535;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool has_mark(std::string_view head) {
    return std::ranges::any_of(marks, [head](std::string_view mark) {
        return !std::ranges::search(head, mark, {}, lower).empty();
    });
}

bool ends_as_zip(std::string_view bytes) {
    const auto reach = std::min(bytes.size(), zip_end_size + zip_comment_max);
    const std::string_view tail = bytes.substr(bytes.size() - reach);
    for (auto at = tail.find(zip_end); at != std::string_view::npos;
         at = tail.find(zip_end, at + 1)) {
        if (tail.size() - at < zip_end_size) {
            return false;
        }
        const std::size_t low = static_cast<unsigned char>(tail[at + 20]);
        const std::size_t high = static_cast<unsigned char>(tail[at + 21]);
        if (tail.size() - at == zip_end_size + low + 256 * high) {
            return true;
        }
    }
    return false;
}

} // namespace

std::string_view content_type_of(std::string_view bytes) {
    if (bytes.starts_with("\xff\xd8\xff"sv)) {
        return "image/jpeg";
    }
    if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) {
        return "image/png";
    }
    if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) {
        return "image/gif";
    }
    if (bytes.size() >= 12 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv) {
        return "image/webp";
    }
    return {};
}

bool is_something_else_too(std::string_view bytes) {
    return has_mark(bytes.substr(0, sniffed_bytes)) || ends_as_zip(bytes);
}

} // namespace relais::upload
