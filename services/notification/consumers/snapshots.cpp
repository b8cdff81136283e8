#include "notification/consumers/snapshots.hpp"

#include "notification/store/contacts.hpp"
#include "notification/store/deliveries.hpp"

#include <relais/identity/v1/contact_snapshots.pb.h>
#include <relais/market/v1/job_snapshots.pb.h>

namespace relais::notification {
namespace {

result<void> keep_contact(pg::transaction& tx, const identity::v1::ContactSnapshot& snapshot,
                          const consumer_tools& tools) {
    const auto account = account_id::parse(snapshot.account_id());
    if (!account) {
        return fail(account);
    }
    contact value;
    value.account = *account;
    value.version = snapshot.version();
    value.email = snapshot.email();
    value.email_validated = snapshot.email_validated();
    value.address_hash = address_hash(tools.address_key.reveal(), snapshot.email());
    value.display_name = snapshot.display_name();
    value.locale = snapshot.locale();
    for (const auto& device : snapshot.devices()) {
        value.devices.push_back(
            {device.device_id(), device.provider(), device.subscription_id(), device.platform()});
    }
    save_contact(tx, value);
    return {};
}

result<void> forget_contact(pg::transaction& tx, const std::string& key,
                            const inbox::context& about, const consumer_tools& tools) {
    const auto account = account_id::parse(key);
    if (!account) {
        return fail(account);
    }
    erase_contact(tx, *account);
    skip_deliveries_of(tx, *account, tools.service, about.now);
    return {};
}

result<void> keep_job(pg::transaction& tx, const market::v1::JobSnapshot& snapshot) {
    const auto job = job_id::parse(snapshot.job_id());
    if (!job) {
        return fail(job);
    }
    save_job(tx, *job, snapshot.version(), snapshot.title());
    return {};
}

result<void> forget_job(pg::transaction& tx, const std::string& key) {
    const auto job = job_id::parse(key);
    if (!job) {
        return fail(job);
    }
    erase_job(tx, *job);
    return {};
}

} // namespace

void register_snapshots(inbox::consumer& inbox, const consumer_tools& tools) {
    const inbox::policy patient{};
    inbox.on_snapshot<identity::v1::ContactSnapshot>(
        "contact", patient,
        [tools](pg::transaction& tx, const identity::v1::ContactSnapshot& message,
                const inbox::context&) { return keep_contact(tx, message, tools); },
        [tools](pg::transaction& tx, const std::string& key, const inbox::context& about) {
            return forget_contact(tx, key, about, tools);
        });
    inbox.on_snapshot<market::v1::JobSnapshot>(
        "job", patient,
        [](pg::transaction& tx, const market::v1::JobSnapshot& message, const inbox::context&) {
            return keep_job(tx, message);
        },
        [](pg::transaction& tx, const std::string& key, const inbox::context&) {
            return forget_job(tx, key);
        });
}

} // namespace relais::notification
