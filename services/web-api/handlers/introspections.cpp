#include "http/json_writer.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/store/credentials.hpp"

namespace relais::web_api {
namespace {

/// Keys without an end are believed for a day at a time.
constexpr std::chrono::days key_horizon{1};

struct credential {
    std::string account;
    std::string id;
    std::vector<std::string> roles;
    timestamp authenticated_at;
    timestamp expires_at;
};

credential describe(const store::session& session) {
    return {session.account.text(),
            session.id.text(),
            {std::string(member_role)},
            session.created_at,
            session.life.expires_at()};
}

credential describe(const store::api_key& key, timestamp now) {
    return {key.id.text(), key.id.text(), key.roles, key.created_at,
            key.expires_at.value_or(now + key_horizon)};
}

result<std::optional<credential>> find_credential(pg::transaction& tx, std::string_view token,
                                                  timestamp now) {
    const auto hash = token_hash(token);
    if (token.starts_with(api_key_prefix)) {
        const auto key = store::find_api_key(tx, hash, now);
        return key ? std::optional(describe(*key, now)) : std::nullopt;
    }
    const auto session = store::find_session(tx, hash, now);
    if (!session) {
        return std::nullopt;
    }
    if (session->life.worth_touching(now)) {
        store::touch_session(tx, session->id, now);
    }
    return describe(*session);
}

http::response render(const std::optional<credential>& found) {
    http::json_writer json;
    json.begin_object().member("active", found.has_value());
    if (found) {
        json.member("account_id", found->account)
            .member("session_id", found->id)
            .begin_array("roles");
        for (const auto& role : found->roles) {
            json.element(role);
        }
        json.end_array()
            .member("authenticated_at", found->authenticated_at)
            .member("expires_at", found->expires_at);
    }
    json.end_object();
    auto answered = http::response::json(200, json.take());
    answered.headers.set("Cache-Control", "no-store");
    return answered;
}

} // namespace

answer introspect(dependencies& with, const http::request& request) {
    const http::json_reader body(request.body);
    const auto token = body.text("token", {0, 1024});
    if (const auto problems = body.finish(); !problems.empty()) {
        co_return http::problem(problems, &request);
    }
    if (!looks_like_token(token)) {
        co_return render(std::nullopt);
    }
    // Two statements at most, each whole by itself: no transaction around them.
    auto find = [&token, now = with.time.now()](pg::transaction& tx) {
        return find_credential(tx, token, now);
    };
    const auto found = co_await with.database.read("introspect", find, request.deadline);
    if (!found) {
        co_return fail(found);
    }
    co_return render(*found);
}

} // namespace relais::web_api
