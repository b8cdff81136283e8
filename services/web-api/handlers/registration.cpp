#include "async/signal.hpp"
#include "relais/identity/v1/account_events.pb.h"
#include "web-api/adapters/idna.hpp"
#include "web-api/domain/password.hpp"
#include "web-api/domain/plain_text.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/idempotency.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/store/accounts.hpp"
#include "web-api/store/consents.hpp"
#include "web-api/store/contacts.hpp"
#include "web-api/store/email_validations.hpp"

#include <set>

namespace relais::web_api {
namespace {

struct registration {
    email_address email;
    std::string display_name;
    std::string password;
    web_api::locale locale;
    std::vector<std::string> opt_ins;
};

result<std::vector<std::string>> check_opt_ins(const std::vector<std::string>& given) {
    const std::set<std::string> distinct(given.begin(), given.end());
    if (distinct.size() != given.size()) {
        return fail(error_kind::invalid, "duplicate-value", "names a purpose twice");
    }
    for (const auto& purpose : given) {
        const auto known = is_new_consent({purpose, true, consent_source::registration}, {});
        if (!known) {
            return fail(known);
        }
    }
    return given;
}

parsed<registration> parse_registration(const http::request& request) {
    const http::json_reader body(request.body);
    const auto email = body.text("email", email_limits);
    const auto display_name = body.text("display_name", display_name_limits);
    const auto password = body.text("password", new_password_limits);
    const auto language = body.choice("locale", locale_names());
    const auto opt_ins = body.optional_texts("opt_ins", consent_purposes().size(), {1, 32});
    field_checks checks(body.finish());
    const auto address = checks.take("/email", email_address::parse(email, idna_to_ascii));
    const auto name =
        checks.take("/display_name", single_line(display_name, display_name_limits.max));
    checks.require("/password", check_password(password));
    const auto spoken = checks.take("/locale", parse_locale(language));
    const auto purposes = checks.take("/opt_ins", check_opt_ins(opt_ins));
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return registration{*address, *name, password, *spoken, *purposes};
}

/// The owner of the address is told; who asked learns nothing. Who never validated, and has no link
/// left that works, gets a new one.
void register_again(pg::transaction& tx, const email_address& email, const origin& from) {
    const auto known = store::find_account(tx, email);
    if (!known) {
        return; // erased since the insert found it
    }
    const auto version = store::contact_version(tx, known->id).value_or(1);
    identity::v1::RegistrationRepeated repeated;
    repeated.set_account_id(known->id.text());
    publish(tx, repeated, from, {.needs = {needs_contact(known->id, version)}});
    if (!known->email_validated && !store::has_open_validation(tx, known->id, from.now)) {
        store::request_email_validation(tx, known->id, version, from);
    }
}

void register_new(pg::transaction& tx, const store::new_account& account,
                  const std::vector<std::string>& opt_ins, const origin& from) {
    std::vector<std::pair<store::consent_entry, store::consent>> consents;
    for (const auto& purpose : opt_ins) {
        const store::consent_entry entry{.account = account.id,
                                         .purpose = purpose,
                                         .granted = true,
                                         .source = source_text(consent_source::registration),
                                         .occurred_at = from.now};
        consents.emplace_back(entry, store::append_consent(tx, entry, from.now));
    }
    const auto version = store::publish_contact(tx, account.id, from);
    identity::v1::AccountRegistered registered;
    registered.set_account_id(account.id.text());
    registered.set_locale(std::string(to_string(account.locale)));
    publish(tx, registered, from, {.needs = {needs_contact(account.id, version)}});
    store::request_email_validation(tx, account.id, version, from);
    for (const auto& [entry, row] : consents) {
        store::publish_consent(tx, entry, row, version, from);
    }
}

/// The same for everybody: whether the address is known is nobody's business.
http::response pending() {
    return http::response::json(202, R"({"status":"pending"})");
}

} // namespace

answer register_account(dependencies& with, const http::request& request) {
    const auto begun = with.time.steady_now();
    const auto form = parse_registration(request);
    if (!form) {
        co_return http::problem(form.error(), &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    const auto hash = co_await with.passwords.hash(form->password, request.deadline);
    if (!hash) {
        co_return fail(hash);
    }
    const origin from{request.cause(), with.time.now()};
    const store::new_account account{account_id::make(), form->email, form->display_name, *hash,
                                     form->locale};
    auto work = [&](pg::transaction& tx) {
        return once(tx, *key, from.now, [&]() -> result<http::response> {
            if (store::insert_account(tx, account, from.now)) {
                register_new(tx, account, form->opt_ins, from);
            } else {
                register_again(tx, account.email, from);
            }
            return pending();
        });
    };
    auto done = co_await with.database.transact("register_account", work, request.deadline);
    co_await async::sleep_for(begun + with.registration_answer_after - with.time.steady_now());
    co_return done;
}

} // namespace relais::web_api
