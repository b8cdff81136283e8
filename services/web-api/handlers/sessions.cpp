#include "http/json_writer.hpp"
#include "ids/encoding.hpp"
#include "ids/random.hpp"
#include "relais/identity/v1/account_events.pb.h"
#include "web-api/adapters/idna.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/store/accounts.hpp"
#include "web-api/store/credentials.hpp"
#include "web-api/store/publish.hpp"

#include <fmt/format.h>

namespace relais::web_api {
namespace {

struct login_form {
    email_address email;
    std::string password;
    bool as_cookie = false; ///< a browser keeps the token, no script sees it
};

parsed<login_form> parse_login(const http::request& request) {
    const http::json_reader body(request.body);
    const auto email = body.text("email", email_limits);
    const auto password = body.text("password", password_limits);
    const bool as_cookie = body.optional_boolean("as_cookie").value_or(false);
    field_checks checks(body.finish());
    const auto address = checks.take("/email", email_address::parse(email, idna_to_ascii));
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return login_form{*address, password, as_cookie};
}

/// Counts the attempt before anything is known about it, then looks the address up.
result<std::optional<store::account_core>>
begin_login(pg::transaction& tx, const email_address& email,
            const std::vector<std::uint8_t>& address_hash, timestamp now) {
    const auto before = store::lock_login_attempts(tx, address_hash, now);
    const auto counted = count_attempt(before, now);
    if (!counted) {
        return fail(counted);
    }
    store::set_login_attempts(tx, address_hash, *counted);
    return store::find_account(tx, email);
}

struct issued_session {
    store::session session;
    std::string token;
};

issued_session issue_session(account_id account, timestamp now) {
    std::array<std::uint8_t, 32> random{};
    random_bytes(random);
    return {{session_id::make(), account, now, session_life::begin(now)},
            make_token(session_prefix, random)};
}

/// The gateway reads this cookie. Lax: a link in a mail finds the person signed in.
std::string session_cookie(std::string_view token, std::chrono::seconds lifetime) {
    return fmt::format("__Host-sid={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}", token,
                       lifetime.count());
}

http::response render(const issued_session& issued, bool as_cookie) {
    http::json_writer json;
    json.begin_object();
    if (!as_cookie) {
        json.member("token", issued.token);
    }
    json.member("session_id", issued.session.id)
        .member("account_id", issued.session.account)
        .member("expires_at", issued.session.life.expires_at())
        .end_object();
    auto created = http::response::json(201, json.take());
    created.headers.set("Cache-Control", "no-store");
    if (as_cookie) {
        const auto& life = issued.session.life;
        const auto longest = life.absolute_expires_at - life.last_seen_at;
        created.headers.set(
            "Set-Cookie",
            session_cookie(issued.token, std::chrono::floor<std::chrono::seconds>(longest)));
    }
    return created;
}

/// The account whose password this is. Unknown addresses take the same way and the same time, and
/// get the same answer.
boost::asio::awaitable<result<account_id>>
authenticate(dependencies& with, const std::optional<store::account_core>& account,
             const login_form& form, async::worker_pool::deadline until) {
    const auto& phc = account ? account->password_hash : with.passwords.unknown_password_hash();
    const auto verdict = co_await with.passwords.verify(phc, form.password, until);
    if (!verdict) {
        co_return fail(verdict);
    }
    if (!account || !verdict->matches) {
        co_return fail(error_kind::unauthenticated, "invalid-credentials",
                       "address or password are not right");
    }
    if (verdict->outdated) {
        const auto renewed = co_await with.passwords.hash(form.password, until);
        if (renewed) {
            auto store = [&](pg::transaction& tx) -> result<void> {
                store::set_password_hash(tx, account->id, *renewed);
                return {};
            };
            const auto stored = co_await with.database.read("renew_password_hash", store, until);
            if (!stored) {
                co_return fail(stored);
            }
        }
    }
    co_return account->id;
}

session_id current_session(const http::request& request) {
    return session_id::parse(request.caller->credential_id).value_or(session_id());
}

} // namespace

answer log_in(dependencies& with, const http::request& request) {
    const auto form = parse_login(request);
    if (!form) {
        co_return http::problem(form.error(), &request);
    }
    const auto address_hash = hmac_sha256(with.address_hash_key, as_bytes(form->email.canonical()));
    auto begin = [&, now = with.time.now()](pg::transaction& tx) {
        return begin_login(tx, form->email, address_hash, now);
    };
    const auto known = co_await with.database.transact("begin_login", begin, request.deadline);
    if (!known) {
        co_return fail(known);
    }
    const auto account = co_await authenticate(with, *known, *form, request.deadline);
    if (!account) {
        co_return fail(account);
    }
    const auto issued = issue_session(*account, with.time.now());
    auto finish = [&](pg::transaction& tx) -> result<void> {
        store::clear_login_attempts(tx, address_hash);
        store::insert_session(tx, issued.session, token_hash(issued.token));
        return {};
    };
    const auto stored = co_await with.database.transact("finish_login", finish, request.deadline);
    if (!stored) {
        co_return fail(stored);
    }
    co_return render(issued, form->as_cookie);
}

answer get_current_session(dependencies& with, const http::request& request) {
    auto find = [id = current_session(request),
                 now = with.time.now()](pg::transaction& tx) -> result<store::session> {
        const auto found = store::find_session(tx, id, now);
        if (!found) {
            return fail(error_kind::unauthenticated, "invalid-token", "the session has ended");
        }
        return *found;
    };
    const auto found = co_await with.database.read("get_session", find, request.deadline);
    if (!found) {
        co_return fail(found);
    }
    http::json_writer json;
    json.begin_object()
        .member("session_id", found->id)
        .member("account_id", found->account)
        .member("created_at", found->created_at)
        .member("expires_at", found->life.expires_at())
        .end_object();
    co_return http::response::json(200, json.take());
}

answer log_out(dependencies& with, const http::request& request) {
    const origin from{request.cause(), with.time.now()};
    const auto session = current_session(request);
    auto work = [&](pg::transaction& tx) -> result<void> {
        if (!store::revoke_session(tx, session, from.now)) {
            return {}; // ended before: the wish is fulfilled
        }
        identity::v1::CredentialRevoked revoked;
        revoked.set_account_id(request.caller->account.text());
        revoked.set_credential_id(session.text());
        revoked.set_cause(identity::v1::REVOCATION_CAUSE_LOGOUT);
        publish(tx, revoked, from);
        return {};
    };
    const auto done = co_await with.database.transact("log_out", work, request.deadline);
    if (!done) {
        co_return fail(done);
    }
    auto ended = http::response::empty(204);
    ended.headers.set("Set-Cookie", session_cookie("", std::chrono::seconds(0)));
    co_return ended;
}

} // namespace relais::web_api
