#include "web-api/store/email_validations.hpp"

#include "ids/encoding.hpp"
#include "ids/signed_token.hpp"
#include "relais/identity/v1/account_events.pb.h"
#include "web-api/domain/email_validation.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/idempotency.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/store/accounts.hpp"
#include "web-api/store/contacts.hpp"

namespace relais::web_api {
namespace {

parsed<store::validation_id> parse_validation(const dependencies& with,
                                              const http::request& request) {
    const http::json_reader body(request.body);
    const auto token = body.text("token", token_limits);
    field_checks checks(body.finish());
    const auto now = std::chrono::floor<std::chrono::seconds>(with.time.now());
    const auto claims = checks.take("/token", verify_token(as_bytes(with.mail_token_key.reveal()),
                                                           email_validation_purpose, token, now));
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return store::validation_id(claims->id);
}

result<http::response> validate_in(pg::transaction& tx, store::validation_id validation,
                                   const origin& from) {
    const auto account = store::use_validation(tx, validation, from.now);
    if (!account) {
        return fail(account);
    }
    // A second link of the same person proves nothing new.
    if (store::mark_email_validated(tx, *account, from.now)) {
        const auto version = store::publish_contact(tx, *account, from);
        identity::v1::EmailValidated validated;
        validated.set_account_id(account->text());
        validated.set_validation_id(validation.text());
        publish(tx, validated, from, {.needs = {needs_contact(*account, version)}});
    }
    return http::response::empty(204);
}

} // namespace

answer validate_email(dependencies& with, const http::request& request) {
    const auto validation = parse_validation(with, request);
    if (!validation) {
        co_return http::problem(validation.error(), &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    const origin from{request.cause(), with.time.now()};
    auto work = [&](pg::transaction& tx) {
        return once(tx, *key, from.now, [&] { return validate_in(tx, *validation, from); });
    };
    auto done = co_await with.database.transact("validate_email", work, request.deadline);
    co_return done;
}

} // namespace relais::web_api
