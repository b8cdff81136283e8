#include "upload/picture/webp.hpp"

#include <algorithm>
#include <cstdint>

namespace relais::upload {
namespace {

constexpr std::size_t riff_head = 12; // "RIFF", length, "WEBP"
constexpr std::size_t chunk_head = 8; // name, length
constexpr std::size_t extended_size = 10;
constexpr char alpha_flag = 0x10;

std::uint32_t little_endian(std::string_view bytes, std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 4; i > 0; --i) {
        out = (out << 8) | static_cast<std::uint8_t>(bytes[at + i - 1]);
    }
    return out;
}

void append_little_endian(std::string& out, std::size_t value) {
    for (int shift = 0; shift < 32; shift += 8) {
        out += static_cast<char>(static_cast<std::uint8_t>(value >> shift));
    }
}

struct chunks {
    std::string_view extended; ///< content of VP8X
    std::string_view alpha;    ///< whole chunk
    std::string_view pixels;   ///< whole chunk, VP8 or VP8L
};

/// nullopt for anything that is not a well-formed file with exactly one picture.
std::optional<chunks> parse(std::string_view webp) {
    if (webp.size() < riff_head || !webp.starts_with("RIFF") || webp.substr(8, 4) != "WEBP" ||
        little_endian(webp, 4) != webp.size() - chunk_head) {
        return std::nullopt;
    }
    chunks out;
    std::size_t at = riff_head;
    while (webp.size() - at >= chunk_head) {
        const std::size_t length = little_endian(webp, at + 4);
        const std::size_t padded = length + length % 2; // chunks are padded to even sizes
        if (webp.size() - at - chunk_head < padded) {
            return std::nullopt;
        }
        const auto name = webp.substr(at, 4);
        const auto whole = webp.substr(at, chunk_head + padded);
        if (name == "VP8X" && length == extended_size) {
            out.extended = webp.substr(at + chunk_head, length);
        } else if (name == "ALPH") {
            out.alpha = whole;
        } else if ((name == "VP8 " || name == "VP8L") && out.pixels.empty()) {
            out.pixels = whole;
        } else if (name == "VP8 " || name == "VP8L" || name == "ANIM" || name == "ANMF") {
            return std::nullopt;
        }
        at += chunk_head + padded;
    }
    if (at != webp.size() || out.pixels.empty() || (!out.alpha.empty() && out.extended.empty())) {
        return std::nullopt;
    }
    return out;
}

} // namespace

std::optional<std::string> without_metadata(std::string_view webp) {
    const auto found = parse(webp);
    if (!found) {
        return std::nullopt;
    }
    std::string body = "WEBP";
    if (!found->alpha.empty()) {
        body += "VP8X";
        append_little_endian(body, extended_size);
        body += alpha_flag;
        body += found->extended.substr(1); // reserved bytes and the canvas
        body += found->alpha;
    }
    body += found->pixels;
    std::string out = "RIFF";
    append_little_endian(out, body.size());
    return out + body;
}

bool is_bare_webp(std::string_view webp) {
    return without_metadata(webp) == webp;
}

} // namespace relais::upload
