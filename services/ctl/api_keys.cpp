#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "ids/id.hpp"
#include "ids/opaque_token.hpp"
#include "ids/random.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::ctl {
namespace {

constexpr std::size_t shown_prefix = 8; ///< of a token, in lists
constexpr std::array known_roles{"marketing"};

result<void> create_key(const context& where, const arguments& given) {
    const auto roles = given.values("--role");
    for (const auto& role : roles) {
        if (std::ranges::find(known_roles, role) == known_roles.end()) {
            return fail(error_kind::invalid, "usage", fmt::format("unknown role {}", role));
        }
    }
    if (roles.empty()) {
        return fail(error_kind::invalid, "usage", "--role is missing");
    }
    std::array<std::uint8_t, 32> random{};
    random_bytes(random);
    const auto token = make_token(api_key_prefix, random);
    const auto id = api_key_id::make();
    const auto name = given.value("--name").value_or("made by relaisctl");
    const auto done = on_database(where, "web-api", [&](pg::transaction& tx) -> result<void> {
        tx.exec("insert into api_key (id, prefix, token_hash, roles, name)"
                " values ($1, $2, $3, $4::text[], $5)",
                {id, token.substr(0, shown_prefix), pg::parameter::bytes(token_hash(token)),
                 pg::parameter::array(roles), name});
        return {};
    });
    if (done) {
        // The one time that it can be seen: only its hash is stored.
        fmt::print("{}\n", token);
    }
    return done;
}

result<void> run_api_keys(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--role", "--name"}, {});
    if (!given) {
        return fail(given);
    }
    if (given->rest() == std::vector<std::string>{"create"}) {
        return create_key(where, *given);
    }
    return fail(error_kind::invalid, "usage", "create");
}

} // namespace

command api_keys_command() {
    return {"api-keys", "api-keys create --role marketing [--name NAME]",
            "make an API key; it is printed once", run_api_keys};
}

} // namespace relais::ctl
