#include "mailing-list-sync/domain/membership.hpp"

#include <algorithm>
#include <iterator>

namespace relais::mailing_list_sync {

const std::vector<std::string>& campaign_locales() {
    static const std::vector<std::string> locales{"nl", "fr", "de", "en"};
    return locales;
}

std::string base_locale(std::string_view locale) {
    const std::string language(locale.substr(0, locale.find('-')));
    const auto& known = campaign_locales();
    return std::ranges::find(known, language) == known.end() ? "en" : language;
}

std::set<std::string> provider_lists(std::string_view list, std::string_view locale) {
    return {std::string(list), std::string(list) + " " + base_locale(locale)};
}

bool belongs(const contact& person, consent_state consent) {
    return !person.erased && person.email_validated && consent == consent_state::subscribed;
}

shadow desired(const contact& person, consent_state consent, const shadow& known) {
    if (person.erased || consent == consent_state::erased) {
        return {};
    }
    const bool member = belongs(person, consent);
    if (!member && !known.exists) {
        return {};
    }
    return {true, person.email, person.display_name, base_locale(person.locale),
            member ? provider_lists(newsletter, person.locale) : std::set<std::string>{}};
}

sync_plan plan(const shadow& known, const shadow& wanted) {
    if (!wanted.exists) {
        return {known.exists ? sync_plan::kind::remove : sync_plan::kind::nothing, {}, {}};
    }
    sync_plan out;
    std::ranges::set_difference(wanted.lists, known.lists,
                                std::inserter(out.add_to, out.add_to.end()));
    std::ranges::set_difference(known.lists, wanted.lists,
                                std::inserter(out.remove_from, out.remove_from.end()));
    if (!known.exists) {
        out.what = sync_plan::kind::create;
        return out;
    }
    const bool same_attributes = known.email == wanted.email &&
                                 known.display_name == wanted.display_name &&
                                 known.locale == wanted.locale;
    const bool same = same_attributes && out.add_to.empty() && out.remove_from.empty();
    out.what = same ? sync_plan::kind::nothing : sync_plan::kind::update;
    return out;
}

} // namespace relais::mailing_list_sync
