#pragma once

#include "result/result.hpp"

#include <map>
#include <string>

namespace relais::pg {

/// libpq keywords (host, port, user …) with their values.
using keywords = std::map<std::string, std::string>;

/// Reads a libpq URI or connection string. Error: `invalid` / "database-url"; its detail never
/// holds the string, which may contain a password.
result<keywords> parse_connection_string(const std::string& url);

/// Writes keywords as a connection string.
std::string to_connection_string(const keywords& values);

/// What every session of ours has: a name, keepalives that notice a silent peer within 20 s, UTC
/// and ISO dates (the text forms that rows reads), and these server settings (`-c name=value`).
/// What the URL itself says stays.
keywords with_session_defaults(keywords given, const std::string& application_name,
                               const std::map<std::string, std::string>& server_settings);

} // namespace relais::pg
