#pragma once

#include "ids/id.hpp"
#include "notification/domain/kinds.hpp"
#include "postgres/transaction.hpp"

#include <string>
#include <vector>

namespace relais::notification {

struct device {
    std::string device_id;
    std::string provider;
    std::string subscription_id;
    std::string platform;
};

struct contact {
    account_id account;
    std::uint64_t version = 0;
    std::string email;
    bool email_validated = false;
    std::string address_hash; ///< bytes, see address_hash()
    std::string display_name;
    std::string locale;
    std::vector<device> devices;
};

/// HMAC-SHA-256 of the normalised address: suppressions are kept under it, so that they outlive the
/// person's data.
std::string address_hash(std::string_view key, std::string_view address);

/// Replaces the person's row and devices. A device keeps being dead as long as its subscription is
/// the same.
void save_contact(pg::transaction& tx, const contact& value);
void erase_contact(pg::transaction& tx, account_id who);

/// Empty when the person is unknown (erased).
std::string locale_of(pg::transaction& tx, account_id who);

void save_job(pg::transaction& tx, job_id job, std::uint64_t version, const std::string& title);
void erase_job(pg::transaction& tx, job_id job);

/// The provider reported these subscriptions as gone.
void mark_devices_dead(pg::transaction& tx, const std::vector<std::string>& subscription_ids,
                       timestamp now);

} // namespace relais::notification
