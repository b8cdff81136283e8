#include "notification/store/contacts.hpp"

#include "ids/encoding.hpp"
#include "notification/domain/address.hpp"

namespace relais::notification {

std::string address_hash(std::string_view key, std::string_view address) {
    const auto text = "suppression:" + normalised_address(address);
    const auto bytes = hmac_sha256(as_bytes(key), as_bytes(text));
    return {bytes.begin(), bytes.end()};
}

void save_contact(pg::transaction& tx, const contact& value) {
    tx.exec("insert into contact (account_id, version, email, email_validated, address_hash,"
            " display_name, locale) values ($1, $2, $3, $4, $5, $6, $7)"
            " on conflict (account_id) do update set version = excluded.version,"
            " email = excluded.email, email_validated = excluded.email_validated,"
            " address_hash = excluded.address_hash, display_name = excluded.display_name,"
            " locale = excluded.locale",
            {value.account, value.version, value.email, value.email_validated,
             pg::parameter::bytes(std::string_view(value.address_hash)), value.display_name,
             value.locale});
    std::vector<std::string> kept;
    for (const auto& one : value.devices) {
        kept.push_back(one.device_id);
        tx.exec("insert into device (account_id, device_id, provider, subscription_id, platform)"
                " values ($1, $2, $3, $4, $5) on conflict (account_id, device_id) do update set"
                " provider = excluded.provider, subscription_id = excluded.subscription_id,"
                " platform = excluded.platform, dead_at = case when device.subscription_id ="
                " excluded.subscription_id then device.dead_at end",
                {value.account, one.device_id, one.provider, one.subscription_id, one.platform});
    }
    tx.exec("delete from device where account_id = $1 and device_id <> all($2::text[])",
            {value.account, pg::parameter::array(kept)});
}

void erase_contact(pg::transaction& tx, account_id who) {
    tx.exec("delete from contact where account_id = $1", {who});
}

std::string locale_of(pg::transaction& tx, account_id who) {
    const auto found = tx.exec("select locale from contact where account_id = $1", {who});
    return found.empty() ? std::string() : found.front().text(0);
}

void save_job(pg::transaction& tx, job_id job, std::uint64_t version, const std::string& title) {
    tx.exec("insert into job (job_id, version, title) values ($1, $2, $3)"
            " on conflict (job_id) do update set version = excluded.version,"
            " title = excluded.title",
            {job, version, title});
}

void erase_job(pg::transaction& tx, job_id job) {
    tx.exec("delete from job where job_id = $1", {job});
}

void mark_devices_dead(pg::transaction& tx, const std::vector<std::string>& subscription_ids,
                       timestamp now) {
    tx.exec("update device set dead_at = $2 where subscription_id = any($1::text[])"
            " and dead_at is null",
            {pg::parameter::array(subscription_ids), now});
}

} // namespace relais::notification
