#include "http/json_writer.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/store/accounts.hpp"
#include "web-api/store/consent_ledger.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

struct own_account {
    store::account_view account;
    std::vector<store::consent> consents;
    std::vector<store::list_membership> memberships;
};

result<own_account> read_own_account(pg::transaction& tx, account_id account) {
    auto view = store::view_account(tx, account);
    if (!view) {
        return fail(error_kind::not_found, "not-found", "there is no such account");
    }
    return own_account{std::move(*view), store::consents_of(tx, account),
                       store::memberships_of(tx, account)};
}

void write_consent(http::json_writer& json, const store::consent& consent) {
    json.begin_object()
        .member("purpose", consent.purpose)
        .member("granted", consent.granted)
        .member("since", consent.since)
        .end_object();
}

http::response render(const own_account& own) {
    http::json_writer json;
    json.begin_object()
        .member("id", own.account.id)
        .member("email", own.account.email)
        .member("email_validated", own.account.email_validated)
        .member("display_name", own.account.display_name)
        .member("locale", own.account.locale)
        .member("created_at", own.account.created_at)
        .begin_array("consents");
    for (const auto& consent : own.consents) {
        write_consent(json, consent);
    }
    json.end_array().begin_array("memberships");
    for (const auto& membership : own.memberships) {
        json.begin_object()
            .member("list", membership.list)
            .member("member", membership.member)
            .member("since", membership.since)
            .end_object();
    }
    json.end_array().end_object();
    return http::response::json(200, json.take());
}

} // namespace

answer get_own_account(dependencies& with, const http::request& request) {
    const auto account = request.caller->account;
    auto work = [account](pg::transaction& tx) {
        return read_own_account(tx, account);
    };
    const auto own = co_await with.database.transact("get_own_account", work, request.deadline);
    if (!own) {
        co_return fail(own);
    }
    co_return render(*own);
}

answer put_consent(dependencies& with, const http::request& request) {
    const auto& purpose = request.path_parameter("purpose");
    if (std::ranges::find(consent_purposes(), purpose) == consent_purposes().end()) {
        co_return fail(error_kind::not_found, "not-found", "nobody asks for this consent");
    }
    const http::json_reader body(request.body);
    const bool granted = body.boolean("granted");
    if (const auto problems = body.finish(); !problems.empty()) {
        co_return http::problem(problems, &request);
    }
    const origin from{request.cause(), with.time.now()};
    const store::consent_entry entry{.account = request.caller->account,
                                     .purpose = purpose,
                                     .granted = granted,
                                     .source = source_text(consent_source::preferences),
                                     .occurred_at = from.now};
    auto work = [&](pg::transaction& tx) {
        return store::record_consent(tx, entry, consent_source::preferences, from);
    };
    const auto holds = co_await with.database.transact("put_consent", work, request.deadline);
    if (!holds) {
        co_return fail(holds);
    }
    http::json_writer json;
    write_consent(json, *holds);
    co_return http::response::json(200, json.take());
}

} // namespace relais::web_api
