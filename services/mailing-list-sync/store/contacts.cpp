#include "mailing-list-sync/store/contacts.hpp"

namespace relais::mailing_list_sync {
namespace {

std::set<std::string> split(std::string_view joined) {
    std::set<std::string> out;
    while (!joined.empty()) {
        const auto comma = joined.find(',');
        out.emplace(joined.substr(0, comma));
        joined = comma == std::string_view::npos ? "" : joined.substr(comma + 1);
    }
    return out;
}

} // namespace

void save_contact(pg::transaction& tx, const contact& person, std::uint64_t version) {
    tx.exec(
        "insert into contact (account_id, email, email_validated, display_name, locale, version)"
        " values ($1, $2, $3, $4, $5, $6)"
        " on conflict (account_id) do update set email = excluded.email,"
        " email_validated = excluded.email_validated, display_name = excluded.display_name,"
        " locale = excluded.locale, version = excluded.version"
        " where contact.version < excluded.version and contact.erased_at is null",
        {person.account_id, person.email, person.email_validated, person.display_name,
         person.locale, version});
}

void erase_contact(pg::transaction& tx, const std::string& account_id, timestamp now) {
    tx.exec(
        "insert into contact (account_id, email, email_validated, display_name, locale, version,"
        " erased_at) values ($1, '', false, '', 'en', 0, $2)"
        " on conflict (account_id) do update set email = '', email_validated = false,"
        " display_name = '', erased_at = coalesce(contact.erased_at, excluded.erased_at)",
        {account_id, now});
}

std::optional<contact> find_contact(pg::transaction& tx, const std::string& account_id) {
    const auto found = tx.exec("select account_id, email, email_validated, display_name, locale,"
                               " erased_at is not null from contact where account_id = $1",
                               {account_id});
    if (found.empty()) {
        return std::nullopt;
    }
    const auto row = found.front();
    return contact{row.text(0), row.text(1), row.boolean(2),
                   row.text(3), row.text(4), row.boolean(5)};
}

std::optional<std::string> account_of_email(pg::transaction& tx, const std::string& email) {
    const auto found = tx.exec("select account_id from contact where lower(email) = lower($1)"
                               " and erased_at is null order by version desc limit 1",
                               {email});
    if (found.empty()) {
        return std::nullopt;
    }
    return found.front().text(0);
}

bool append_consent(pg::transaction& tx, const ledger_entry& entry) {
    const auto done = tx.exec(
        "insert into consent_event (account_id, purpose, digest, kind, occurred_at, evidence)"
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        {entry.account_id, entry.purpose, entry.digest, to_string(entry.event.kind),
         entry.event.occurred_at, entry.evidence});
    return done.affected() > 0;
}

std::vector<consent_event> ledger_of(pg::transaction& tx, const std::string& account_id,
                                     std::string_view purpose) {
    std::vector<consent_event> out;
    const auto found = tx.exec("select kind, occurred_at from consent_event"
                               " where account_id = $1 and purpose in ($2, '*')",
                               {account_id, purpose});
    for (const auto row : found) {
        out.push_back({parse_consent_kind(row.view(0)), row.time(1)});
    }
    return out;
}

shadow find_shadow(pg::transaction& tx, const std::string& account_id) {
    const auto found =
        tx.exec("select email, display_name, locale, array_to_string(lists, ',') from shadow"
                " where account_id = $1",
                {account_id});
    if (found.empty()) {
        return {};
    }
    const auto row = found.front();
    return {true, row.text(0), row.text(1), row.text(2), split(row.view(3))};
}

void save_shadow(pg::transaction& tx, const std::string& account_id, const shadow& state,
                 timestamp now) {
    if (!state.exists) {
        tx.exec("delete from shadow where account_id = $1", {account_id});
        return;
    }
    const std::vector<std::string> lists(state.lists.begin(), state.lists.end());
    tx.exec("insert into shadow (account_id, email, display_name, locale, lists, confirmed_at)"
            " values ($1, $2, $3, $4, $5::text[], $6)"
            " on conflict (account_id) do update set email = excluded.email,"
            " display_name = excluded.display_name, locale = excluded.locale,"
            " lists = excluded.lists, confirmed_at = excluded.confirmed_at",
            {account_id, state.email, state.display_name, state.locale, pg::parameter::array(lists),
             now});
}

std::int64_t count_members(pg::transaction& tx, const std::string& provider_list) {
    return tx.exec("select count(*) from shadow where $1 = any(lists)", {provider_list})
        .front()
        .integer(0);
}

} // namespace relais::mailing_list_sync
