#pragma once

#include "result/result.hpp"

#include <string>
#include <string_view>

namespace relais::notification {

/// Who a mail is from or to.
struct mailbox {
    std::string name; ///< may be empty
    std::string address;

    friend bool operator==(const mailbox&, const mailbox&) = default;
};

/// `Relais <hello@relais.example>` or `hello@relais.example`. Error: `invalid` / "invalid-mailbox".
result<mailbox> parse_mailbox(std::string_view text);

/// The form in which two spellings of an address are the same: lower case, no outer blanks.
std::string normalised_address(std::string_view address);

/// What stands after the last @; empty when there is none.
std::string_view domain_of(std::string_view address);

} // namespace relais::notification
