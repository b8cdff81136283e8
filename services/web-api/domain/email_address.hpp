#pragma once

#include "result/result.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace relais::web_api {

/// Turns an internationalised domain name into its ASCII form (IDNA 2008 A-labels, lower case).
/// The domain knows no library for it: adapters/idna.hpp has the one that is used.
using domain_encoder = std::function<result<std::string>(std::string_view)>;

/// An e-mail address as it was given and in the one form that identifies its owner here.
///
/// The local part is an RFC 5321 dot-string in ASCII, at most 64 octets: quoted strings and the
/// addresses of RFC 6531 are refused, because the mail providers we hand addresses to refuse them.
/// The domain has at least two labels and may be internationalised; no address literals. The whole
/// is at most 254 octets (RFC 3696 erratum 1690). The canonical form has both parts in lower case
/// and the domain in A-labels; dots and plus signs of the local part mean what the owner's server
/// says they mean, so they stay.
class email_address {
public:
    /// Error: `invalid` / "invalid-email".
    static result<email_address> parse(std::string_view text, const domain_encoder& to_ascii);

    /// What mails are sent to: the local part as given, the domain in A-labels.
    const std::string& deliverable() const {
        return deliverable_;
    }

    /// What is compared and unique.
    const std::string& canonical() const {
        return canonical_;
    }

private:
    email_address(std::string deliverable, std::string canonical)
        : deliverable_(std::move(deliverable)), canonical_(std::move(canonical)) {}

    std::string deliverable_;
    std::string canonical_;
};

} // namespace relais::web_api
