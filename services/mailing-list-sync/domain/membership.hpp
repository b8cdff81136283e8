#pragma once

#include "mailing-list-sync/domain/consent.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace relais::mailing_list_sync {

/// The list we keep; its purpose has the same name.
inline constexpr std::string_view newsletter = "newsletter";

/// The languages we write in. Each list has one provider list for everybody and one per language,
/// so that a campaign can be for a language (providers' segments cannot be made through their API).
const std::vector<std::string>& campaign_locales();

/// "newsletter", "nl-BE" → {"newsletter", "newsletter nl"}. An unknown language counts as en.
std::set<std::string> provider_lists(std::string_view list, std::string_view locale);

/// nl-BE → nl; what we do not write in → en.
std::string base_locale(std::string_view locale);

/// A person as the contact snapshots have it.
struct contact {
    std::string account_id;
    std::string email;
    bool email_validated = false;
    std::string display_name;
    std::string locale;
    bool erased = false;
};

/// What the provider was last known to have of the person.
struct shadow {
    bool exists = false;
    std::string email;
    std::string display_name;
    std::string locale;
    std::set<std::string> lists;
};

/// What to do at the provider so that it matches. Never touches the opt-out flags of the provider:
/// an upsert that carries them would resubscribe people.
struct sync_plan {
    enum class kind { nothing, create, update, remove };
    kind what = kind::nothing;
    std::set<std::string> add_to;
    std::set<std::string> remove_from;

    friend bool operator==(const sync_plan&, const sync_plan&) = default;
};

/// Whether the person belongs on the list: reachable, willing, existing.
bool belongs(const contact& person, consent_state consent);

/// The shadow as it shall be. Somebody who does not belong and is unknown there stays unknown
/// there.
shadow desired(const contact& person, consent_state consent, const shadow& known);

sync_plan plan(const shadow& known, const shadow& wanted);

} // namespace relais::mailing_list_sync
