#include "web-api/domain/consent.hpp"

#include <algorithm>

namespace relais::web_api {

const std::vector<std::string>& consent_purposes() {
    static const std::vector<std::string> purposes{"newsletter"};
    return purposes;
}

result<bool> is_new_consent(const consent_statement& said, std::optional<bool> holds) {
    const auto& known = consent_purposes();
    if (std::ranges::find(known, said.purpose) == known.end()) {
        return fail(error_kind::invalid, "unknown-purpose", "nobody asks for this consent");
    }
    if (said.granted && said.source == consent_source::provider) {
        return fail(error_kind::forbidden, "consent-needs-the-person",
                    "only the person can say yes, and only here");
    }
    return holds != said.granted;
}

std::vector<std::string> purposes_of_opt_out(std::string_view purpose) {
    std::vector<std::string> meant;
    for (const auto& known : consent_purposes()) {
        if (purpose == "*" || purpose == known) {
            meant.push_back(known);
        }
    }
    return meant;
}

std::string source_text(consent_source source, std::string_view provider) {
    switch (source) {
    case consent_source::registration:
        return "registration";
    case consent_source::preferences:
        return "preferences";
    case consent_source::provider:
        break;
    }
    return "provider:" + std::string(provider);
}

} // namespace relais::web_api
