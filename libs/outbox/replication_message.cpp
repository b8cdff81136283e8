#include "outbox/replication_message.hpp"

#include "outbox/wire.hpp"

#include <fmt/format.h>

#include <charconv>

namespace relais::outbox {
namespace {

constexpr std::chrono::seconds server_epoch{946'684'800}; // 2000-01-01 in Unix time

bool parse_hex(std::string_view text, std::uint32_t& into) {
    const auto [stop, failed] = std::from_chars(text.begin(), text.end(), into, 16);
    return failed == std::errc() && stop == text.end() && !text.empty();
}

} // namespace

std::string to_text(lsn value) {
    return fmt::format("{:X}/{:X}", value >> 32U, value & 0xffffffffU);
}

result<lsn> parse_lsn(std::string_view text) {
    const auto slash = text.find('/');
    std::uint32_t high = 0;
    std::uint32_t low = 0;
    if (slash == std::string_view::npos || !parse_hex(text.substr(0, slash), high) ||
        !parse_hex(text.substr(slash + 1), low)) {
        return fail(error_kind::invalid, "invalid-lsn", std::string(text.substr(0, 32)));
    }
    return lsn{high} << 32U | low;
}

result<server_message> decode_server_message(std::string_view bytes) {
    wire_reader in(bytes);
    const char kind = static_cast<char>(in.byte());
    if (kind == 'w') {
        in.int64(); // where this data starts,
        in.int64(); // the end of the log,
        in.int64(); // the server's time: of no use here
        if (in.ok()) {
            return wal_data{in.rest()};
        }
    } else if (kind == 'k') {
        keepalive message;
        message.wal_end = in.int64();
        in.int64();
        message.reply_requested = in.byte() == 1;
        if (in.ok()) {
            return message;
        }
    }
    return fail(error_kind::internal, "replication-protocol", "not a replication message");
}

std::string encode_status(lsn confirmed, timestamp now, bool reply_requested) {
    wire_writer out;
    out.byte('r');
    out.int64(confirmed);
    out.int64(confirmed);
    out.int64(confirmed);
    out.int64(static_cast<std::uint64_t>(to_server_time(now)));
    out.byte(reply_requested ? 1 : 0);
    return out.bytes();
}

timestamp from_server_time(std::int64_t microseconds) {
    return timestamp(std::chrono::microseconds(microseconds) + server_epoch);
}

std::int64_t to_server_time(timestamp time) {
    return (time.time_since_epoch() - server_epoch).count();
}

} // namespace relais::outbox
