#pragma once

#include "notification/domain/kinds.hpp"

#include <string>
#include <string_view>

namespace relais::notification {

/// What all messages share.
struct site {
    std::string brand;      ///< the name a mail greets from
    std::string public_url; ///< base of all links, without a trailing slash
};

/// What a message is made from beside its facts: read when it is made, never kept.
struct particulars {
    std::string display_name;
    std::string job_title;
    std::string token; ///< signed, for links that prove something
    timestamp now{};
};

/// The values for the templates of a kind. Every kind has the common names: brand, language, name,
/// has_name ("yes" or "no"), link, settings_link.
view make_view(const kind& what, std::string_view language, const facts& known,
               const particulars& read, const site& shared);

/// Where the message's button leads.
std::string link_for(const kind& what, const facts& known, const particulars& read,
                     const site& shared);

/// Facts and particulars that stand for real ones in the lint; `number` varies the plural forms.
struct sample {
    facts known;
    particulars read;
};

sample make_sample(int number);

} // namespace relais::notification
