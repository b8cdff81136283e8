#include "web-api/store/contacts.hpp"

#include "relais/identity/v1/contact_snapshots.pb.h"
#include "web-api/store/consents.hpp"
#include "web-api/store/devices.hpp"
#include "web-api/store/protobuf_time.hpp"

namespace relais::web_api::store {
namespace {

void add_devices(pg::transaction& tx, account_id account, identity::v1::ContactSnapshot& snapshot) {
    for (const auto& device : devices_of(tx, account)) {
        auto& out = *snapshot.add_devices();
        out.set_device_id(device.id.text());
        out.set_provider(device.provider);
        out.set_subscription_id(device.subscription_id);
        out.set_platform(device.platform);
    }
}

void add_consents(pg::transaction& tx, account_id account,
                  identity::v1::ContactSnapshot& snapshot) {
    for (const auto& consent : consents_of(tx, account)) {
        auto& out = *snapshot.add_consents();
        out.set_purpose(consent.purpose);
        out.set_granted(consent.granted);
        *out.mutable_since() = to_protobuf(consent.since);
        out.set_consent_id(consent.id.text());
    }
}

} // namespace

bool lock_contact(pg::transaction& tx, account_id account) {
    return !tx.exec("SELECT FROM contact_version WHERE account_id = $1 FOR UPDATE", {account})
                .empty();
}

std::uint64_t publish_contact(pg::transaction& tx, account_id account, const origin& from) {
    const auto numbered = tx.exec("UPDATE contact_version SET version = version + 1 "
                                  "WHERE account_id = $1 RETURNING version",
                                  {account});
    const auto read =
        tx.exec("SELECT a.email, a.email_validated_at IS NOT NULL, p.display_name, a.locale "
                "FROM account_core a JOIN profile p ON p.account_id = a.id WHERE a.id = $1",
                {account});
    const auto row = read.front();
    identity::v1::ContactSnapshot snapshot;
    snapshot.set_account_id(account.text());
    snapshot.set_version(static_cast<std::uint64_t>(numbered.front().integer(0)));
    snapshot.set_email(row.text(0));
    snapshot.set_email_validated(row.boolean(1));
    snapshot.set_display_name(row.text(2));
    snapshot.set_locale(row.text(3));
    add_devices(tx, account, snapshot);
    add_consents(tx, account, snapshot);
    publish(tx, snapshot, from);
    return snapshot.version();
}

std::optional<std::uint64_t> contact_version(pg::transaction& tx, account_id account) {
    const auto found =
        tx.exec("SELECT version FROM contact_version WHERE account_id = $1", {account});
    if (found.empty()) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(found.front().integer(0));
}

} // namespace relais::web_api::store
