#include "http/client_connection.hpp"
#include "http/target.hpp"

namespace relais::http {

result<origin> parse_origin(std::string_view url) {
    origin out;
    constexpr std::string_view plain = "http://";
    constexpr std::string_view encrypted = "https://";
    out.encrypted = url.starts_with(encrypted);
    if (!out.encrypted && !url.starts_with(plain)) {
        return fail(error_kind::invalid, "invalid-url", "expected http:// or https://");
    }
    url.remove_prefix(out.encrypted ? encrypted.size() : plain.size());
    const auto slash = std::min(url.find('/'), url.size());
    out.authority = url.substr(0, slash);
    out.path = url.substr(slash);
    while (out.path.ends_with('/')) {
        out.path.pop_back(); // targets begin with a slash
    }
    if (!is_valid_host(out.authority) || !is_valid_query(out.path)) {
        return fail(error_kind::invalid, "invalid-url", "expected scheme://host:port");
    }
    const auto colon = out.authority.rfind(':');
    // "[::1]" has colons and no port.
    const bool has_port = colon != std::string::npos && !out.authority.ends_with(']');
    out.host = has_port ? out.authority.substr(0, colon) : out.authority;
    out.port = has_port ? out.authority.substr(colon + 1) : out.encrypted ? "443" : "80";
    if (out.host.starts_with('[')) {
        out.host = out.host.substr(1, out.host.size() - 2);
    }
    if (std::stoi(out.port) > 65535) {
        return fail(error_kind::invalid, "invalid-url", "the port is over 65535");
    }
    return out;
}

} // namespace relais::http
