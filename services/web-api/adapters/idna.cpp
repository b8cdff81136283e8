#include "web-api/adapters/idna.hpp"

#include <algorithm>
#include <idn2.h>
#include <memory>

namespace relais::web_api {
namespace {

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

} // namespace

result<std::string> idna_to_ascii(std::string_view domain) {
    const bool ascii =
        std::ranges::all_of(domain, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) {
        return ascii_lower(domain);
    }
    const std::string input(domain);
    char* made = nullptr;
    const int code = idn2_to_ascii_8z(
        input.c_str(), &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL | IDN2_USE_STD3_ASCII_RULES);
    const std::unique_ptr<char, void (*)(void*)> owned(made, &idn2_free);
    if (code != IDN2_OK || domain.contains('\0') || !owned) {
        return fail(error_kind::invalid, "invalid-domain", "is not a domain name");
    }
    return std::string(owned.get());
}

} // namespace relais::web_api
