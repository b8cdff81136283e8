#include "ctl/bans_state.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <relais/edge/v1/ban_events.pb.h>

namespace ip = boost::asio::ip;

namespace relais::ctl {
namespace {

constexpr unsigned short v4_length_min = 8;
constexpr unsigned short v6_length_min = 16;

std::unexpected<error> misuse(std::string detail) {
    return fail(error_kind::invalid, "usage", std::move(detail));
}

std::optional<std::uint32_t> number_of(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = failed == std::errc() && end == text.data() + text.size();
    return whole ? std::optional(value) : std::nullopt;
}

template <class Network>
result<std::string> checked(const Network& given, unsigned short length_min) {
    if (given.canonical() != given) {
        return misuse(fmt::format("{} has bits behind its prefix; {} is the network",
                                  given.to_string(), given.canonical().to_string()));
    }
    if (given.prefix_length() < length_min) {
        return misuse(fmt::format("{} is too wide: at least /{}", given.to_string(), length_min));
    }
    return given.to_string();
}

} // namespace

void apply_ban_event(const kafka::record& record, ban_entries& to) {
    const auto event = kafka::to_event(record);
    if (!event) {
        return;
    }
    if (event->type == edge::v1::BanLifted::descriptor()->full_name()) {
        if (const auto lifted = events::decode<edge::v1::BanLifted>(*event)) {
            to.erase(lifted->prefix());
        }
    } else if (event->type == edge::v1::AddressBanned::descriptor()->full_name()) {
        if (const auto banned = events::decode<edge::v1::AddressBanned>(*event)) {
            to[banned->prefix()] = {
                banned->reason(), banned->banned_by(),
                timestamp(std::chrono::seconds(banned->expires_at().seconds()))};
        }
    }
}

result<std::string> ban_prefix_of(std::string_view text) {
    const auto slash = text.find('/');
    boost::system::error_code failed;
    auto address = ip::make_address(std::string(text.substr(0, slash)), failed);
    if (failed) {
        return misuse(fmt::format("{} is neither an address nor a network", text));
    }
    std::uint32_t most = address.is_v4() ? 32 : 128;
    auto length = slash == std::string_view::npos ? most : number_of(text.substr(slash + 1));
    if (!length || *length > most) {
        return misuse(fmt::format("{} has no prefix length of 0 to {}", text, most));
    }
    constexpr std::uint32_t mapped_bits = 96;
    if (address.is_v6() && address.to_v6().is_v4_mapped() && *length >= mapped_bits) {
        address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
        *length -= mapped_bits;
    }
    if (address.is_v4()) {
        return checked(ip::network_v4(address.to_v4(), static_cast<unsigned short>(*length)),
                       v4_length_min);
    }
    if (!address.to_v6().scope_id()) {
        return checked(ip::network_v6(address.to_v6(), static_cast<unsigned short>(*length)),
                       v6_length_min);
    }
    return misuse(fmt::format("{}: an address with a zone is not one of the internet", text));
}

result<std::chrono::seconds> ban_time_of(std::string_view text) {
    constexpr std::uint32_t minute = 60;
    constexpr std::uint32_t hour = 60 * minute;
    constexpr std::uint32_t day = 24 * hour;
    static const std::map<char, std::uint32_t> units{
        {'s', 1}, {'m', minute}, {'h', hour}, {'d', day}};
    const auto unit = text.empty() ? units.end() : units.find(text.back());
    const auto count =
        unit == units.end() ? std::nullopt : number_of(text.substr(0, text.size() - 1));
    if (!count || *count == 0) {
        return misuse("--for wants a time like 90s, 15m, 12h or 7d");
    }
    const std::chrono::seconds out(std::int64_t{*count} * unit->second);
    if (out > ban_time_max) {
        return misuse("--for may be 90d at most: ban again when it ends");
    }
    return out;
}

} // namespace relais::ctl
