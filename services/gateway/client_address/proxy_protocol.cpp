#include "gateway/client_address/proxy_protocol.hpp"

#include "gateway/client_address/proxy_protocol_v2.hpp"

namespace relais::gateway {
namespace {

constexpr std::string_view v1_signature = "PROXY ";
constexpr std::size_t v1_bytes_max = 107; // with CRLF

auto malformed(std::string_view what) {
    return fail(error_kind::invalid, "malformed-proxy-header", std::string(what));
}

/// Whether the buffer begins as this, as far as it goes.
bool may_begin(std::string_view buffer, std::string_view with) {
    return buffer.substr(0, with.size()) == with.substr(0, buffer.size());
}

/// Takes the bytes before the next space and that space.
std::string_view take_word(std::string_view& line) {
    const auto space = line.find(' ');
    const auto word = line.substr(0, space);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    return word;
}

/// Without leading zeros, which some take for octal.
bool read_port(std::string_view text, std::uint16_t& out) {
    const auto port = parse_port(text);
    if (!port || (text.size() > 1 && text.front() == '0')) {
        return false;
    }
    out = *port;
    return true;
}

/// A version 1 address is in the family's own form: a mapped one counts as IPv6.
bool read_address(std::string_view text, bool v6, ip_address& out) {
    const auto address = parse_address(text);
    if (!address || text.contains(':') != v6) {
        return false;
    }
    out = *address;
    return true;
}

/// The line behind the signature, without CRLF.
bool read_v1(std::string_view line, proxy_header& out) {
    // Of an unknown connection, what follows is ignored.
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) {
        return true;
    }
    const auto family = take_word(line);
    if (family != "TCP4" && family != "TCP6") {
        return false;
    }
    const bool v6 = family == "TCP6";
    const auto source = take_word(line);
    const auto destination = take_word(line);
    const auto source_port = take_word(line);
    out.use_peer = false;
    // The last word is what is left, so that a space at the end is one too many.
    return read_address(source, v6, out.source) && read_address(destination, v6, out.destination) &&
           read_port(source_port, out.source_port) && read_port(line, out.destination_port);
}

result<std::size_t> parse_v1(std::string_view buffer, proxy_header& header) {
    const auto end = buffer.substr(0, v1_bytes_max).find_first_of("\r\n");
    if (end == std::string_view::npos || (end + 1 == buffer.size() && buffer[end] == '\r')) {
        if (buffer.size() >= v1_bytes_max) {
            return malformed("no end of the line in 107 bytes");
        }
        return 0;
    }
    if (end + 1 >= v1_bytes_max || !buffer.substr(end).starts_with("\r\n")) {
        return malformed("the line does not end with CRLF in 107 bytes");
    }
    proxy_header read;
    const auto size = v1_signature.size(); // all there: it holds no end of a line
    if (!read_v1(buffer.substr(size, end - size), read)) {
        return malformed("a line that version 1 does not know");
    }
    header = read;
    return end + 2;
}

} // namespace

result<std::size_t> parse_proxy_header(std::string_view buffer, const proxy_protocol_limits& limits,
                                       proxy_header& header) {
    const bool v1 = limits.version_1 && may_begin(buffer, v1_signature);
    const bool v2 = limits.version_2 && may_begin(buffer, proxy_v2_signature);
    if (!v1 && !v2) {
        return malformed("does not begin with a signature");
    }
    if (buffer.empty()) {
        return 0;
    }
    return v1 ? parse_v1(buffer, header) : parse_proxy_v2(buffer, limits.block_bytes_max, header);
}

} // namespace relais::gateway
