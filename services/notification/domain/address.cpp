#include "notification/domain/address.hpp"

#include <algorithm>
#include <cctype>

namespace relais::notification {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) {
        return c == ' ' || c == '\t';
    };
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

bool is_plausible(std::string_view address) {
    const auto at = address.rfind('@');
    const auto is_clean = [](unsigned char c) {
        return c > 32 && c != 127 && c != '<' && c != '>';
    };
    return at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
           address.size() <= 254 && std::ranges::all_of(address, is_clean);
}

} // namespace

result<mailbox> parse_mailbox(std::string_view text) {
    text = trimmed(text);
    mailbox out;
    if (text.ends_with('>')) {
        const auto open = text.rfind('<');
        if (open == std::string_view::npos) {
            return fail(error_kind::invalid, "invalid-mailbox", "has no <");
        }
        auto name = trimmed(text.substr(0, open));
        if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
            name = name.substr(1, name.size() - 2);
        }
        out.name = std::string(name);
        text = text.substr(open + 1, text.size() - open - 2);
    }
    const bool has_control =
        std::ranges::any_of(out.name, [](unsigned char c) { return c < 32 || c == 127; });
    if (has_control || !is_plausible(text)) {
        return fail(error_kind::invalid, "invalid-mailbox", "expected Name <address@domain>");
    }
    out.address = std::string(text);
    return out;
}

std::string normalised_address(std::string_view address) {
    std::string out(trimmed(address));
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string_view domain_of(std::string_view address) {
    const auto at = address.rfind('@');
    return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

} // namespace relais::notification
