#pragma once

#include "result/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::web_api {

/// What people can say yes or no to: "newsletter".
const std::vector<std::string>& consent_purposes();

/// Who says so.
enum class consent_source {
    registration, ///< the person, when signing up
    preferences,  ///< the person, here
    provider,     ///< the list provider, for the person
};

/// A yes or a no to one purpose.
struct consent_statement {
    std::string purpose;
    bool granted = false;
    consent_source source = consent_source::preferences;
};

/// Whether a statement becomes a new row of the ledger, given the one that holds (nullopt: none
/// yet).
///
/// An opt-out always wins: a no is taken from everybody, at once, whatever its time says, because a
/// person who is written to after saying no is wronged, and one who is not written to can say yes
/// again. A yes is taken only from the person, here: what a provider believes never opts anybody
/// in. What holds already is not written again, so a repeated webhook adds nothing. Errors:
/// `invalid` / "unknown-purpose"; `forbidden` / "consent-needs-the-person".
result<bool> is_new_consent(const consent_statement& said, std::optional<bool> holds);

/// The purposes that a provider's opt-out means: "*" is all of them, an unknown one is none.
std::vector<std::string> purposes_of_opt_out(std::string_view purpose);

/// The value of the ledger's and the event's `source`: "registration", "preferences",
/// "provider:brevo".
std::string source_text(consent_source source, std::string_view provider = {});

} // namespace relais::web_api
