#include "postgres/connection_string.hpp"

#include <fmt/format.h>

#include <libpq-fe.h>
#include <memory>

namespace relais::pg {
namespace {

struct free_conninfo {
    void operator()(PQconninfoOption* options) const {
        PQconninfoFree(options);
    }
};

std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') {
            text += '\\';
        }
        text += c;
    }
    return text + "'";
}

} // namespace

result<keywords> parse_connection_string(const std::string& url) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, free_conninfo> parsed(
        PQconninfoParse(url.c_str(), &message));
    PQfreemem(message); // may quote the string, password included: dropped
    if (!parsed) {
        return fail(error_kind::invalid, "database-url", "not a libpq URI or connection string");
    }
    keywords found;
    for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            found.emplace(option->keyword, option->val);
        }
    }
    return found;
}

std::string to_connection_string(const keywords& values) {
    std::string text;
    for (const auto& [name, value] : values) {
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, quoted(value));
    }
    return text;
}

keywords with_session_defaults(keywords given, const std::string& application_name,
                               const std::map<std::string, std::string>& server_settings) {
    given.try_emplace("application_name", application_name);
    given.try_emplace("client_encoding", "UTF8");
    given.try_emplace("keepalives_idle", "10");
    given.try_emplace("keepalives_interval", "3");
    given.try_emplace("keepalives_count", "3");
    given.try_emplace("tcp_user_timeout", "10000");
    std::string options = "-c TimeZone=UTC -c DateStyle=ISO -c bytea_output=hex";
    for (const auto& [name, value] : server_settings) {
        options += fmt::format(" -c {}={}", name, value);
    }
    const auto own = given.find("options");
    if (own != given.end()) {
        options += " " + own->second;
    }
    given["options"] = options;
    return given;
}

} // namespace relais::pg
