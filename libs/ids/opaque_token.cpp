#include "ids/opaque_token.hpp"

#include "ids/encoding.hpp"

#include <algorithm>

namespace relais {
namespace {

constexpr std::string_view alphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t digits = 43; // 62^43 > 2^256

} // namespace

std::string make_token(std::string_view prefix, const std::array<std::uint8_t, 32>& random) {
    auto number = random; // big-endian, divided by 62 in place
    std::string text(digits, '0');
    for (std::size_t place = digits; place-- > 0;) {
        unsigned remainder = 0;
        for (auto& byte : number) {
            const unsigned current = (remainder << 8) | byte;
            byte = static_cast<std::uint8_t>(current / 62);
            remainder = current % 62;
        }
        text[place] = alphabet[remainder];
    }
    return std::string(prefix) + text;
}

bool looks_like_token(std::string_view text) {
    if (!text.starts_with(session_prefix) && !text.starts_with(api_key_prefix)) {
        return false;
    }
    text.remove_prefix(session_prefix.size());
    return text.size() == digits && std::ranges::all_of(text, [](char c) {
               return alphabet.find(c) != std::string_view::npos;
           });
}

std::vector<std::uint8_t> token_hash(std::string_view token) {
    return sha256(as_bytes(token));
}

} // namespace relais
