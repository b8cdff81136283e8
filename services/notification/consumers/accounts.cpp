#include "notification/consumers/accounts.hpp"

#include "notification/consumers/tell.hpp"

#include <relais/identity/v1/account_events.pb.h>

namespace relais::notification {
namespace {

timestamp to_time(const google::protobuf::Timestamp& time) {
    return timestamp(std::chrono::seconds(time.seconds()) +
                     std::chrono::microseconds(time.nanos() / 1000));
}

} // namespace

void register_account_events(inbox::consumer& inbox, const consumer_tools& tools) {
    const inbox::policy patient{};
    inbox.on<identity::v1::EmailValidationRequested>(
        patient,
        [tools](pg::transaction& tx, const identity::v1::EmailValidationRequested& event,
                const inbox::context& about) -> result<void> {
            const auto token = uuid::parse(event.validation_id());
            if (!token) {
                return fail(token);
            }
            facts known;
            known.token_id = *token;
            known.token_expires_at = to_time(event.expires_at());
            return tell(tx, "validate_email", event.account_id(), known, about, tools,
                        known.token_expires_at);
        });
    inbox.on<identity::v1::RegistrationRepeated>(
        patient,
        [tools](pg::transaction& tx, const identity::v1::RegistrationRepeated& event,
                const inbox::context& about) -> result<void> {
            return tell(tx, "already_registered", event.account_id(), {}, about, tools);
        });
}

} // namespace relais::notification
