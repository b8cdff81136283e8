#include "gateway/exchange/request_facts.hpp"

#include "http/tokens.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace relais::gateway {
namespace {

constexpr std::string_view via_name = "relais"; // as heads.cpp writes it

} // namespace

std::string_view upgrade_of(const http::request_head& head,
                            const std::vector<std::string>& allowed) {
    const auto offered = head.find("upgrade");
    if (allowed.empty() || !head.upgrade || !offered || head.framing != http::framing::none ||
        head.method != "GET") {
        return {};
    }
    for (const auto& each : allowed) {
        if (http::equal_names(each, *offered)) {
            return each;
        }
    }
    return {};
}

bool switches_to(const http::response_head& answer, std::string_view protocol) {
    bool said = false;
    int upgrades = 0;
    for (const auto& [name, value] : answer.fields) {
        if (http::equal_names(name, "connection")) {
            said = said || http::list_has(value, "upgrade");
        } else if (http::equal_names(name, "upgrade")) {
            upgrades += http::equal_names(value, protocol) ? 1 : 2;
        }
    }
    return answer.status == 101 && said && upgrades == 1 && !protocol.empty();
}

bool went_through_us(const http::request_head& head) {
    const auto ours = [](const http::field_view& field) {
        std::string_view rest = field.value;
        std::string_view member;
        while (http::equal_names(field.name, "via") && http::next_list_member(rest, member)) {
            const auto blank = member.find(' '); // "1.1 name (comment)"
            const auto name = blank == std::string_view::npos ? "" : member.substr(blank + 1);
            if (name.substr(0, name.find(' ')) == via_name) {
                return true;
            }
        }
        return false;
    };
    return std::ranges::any_of(head.fields, ours);
}

std::optional<std::uint64_t> max_forwards(const http::request_head& head) {
    const auto given = head.find(max_forwards_field);
    if (head.method != "OPTIONS" || !given) {
        return std::nullopt;
    }
    std::uint64_t count = 0;
    const auto [end, failed] = std::from_chars(given->data(), given->data() + given->size(), count);
    const bool whole = failed == std::errc() && end == given->data() + given->size();
    return whole ? std::optional(count) : std::nullopt;
}

bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

bool is_idempotent(std::string_view method) {
    return method != "POST" && method != "PATCH";
}

} // namespace relais::gateway
