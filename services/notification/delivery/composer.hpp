#pragma once

#include "config/secret.hpp"
#include "notification/channels/channel.hpp"
#include "notification/rendering/site.hpp"
#include "notification/rendering/template_set.hpp"
#include "notification/store/deliveries.hpp"

#include <expected>

namespace relais::notification {

/// Why a message is not sent: skipped on purpose, or failed because it cannot be made.
struct not_composed {
    delivery_state state = delivery_state::skipped;
    std::string reason;
};

/// Makes the message of a ledger row from what is known about the person now. The token of a link
/// is derived here and nowhere kept. Used on the loop's thread.
class composer {
public:
    composer(template_set& templates, site shared, config::secret token_key);

    /// Reasons: no-contact, expired, address-not-validated, suppressed, no-device, no-job
    /// (skipped); unknown-template, invalid-address, and what rendering says (failed).
    std::expected<outgoing, not_composed> compose(const claimed_delivery& row, timestamp now) const;

    const std::string& template_version() const;

private:
    std::expected<outgoing_mail, not_composed> mail(const claimed_delivery& row,
                                                    const particulars& read) const;
    std::expected<outgoing_push, not_composed> push(const claimed_delivery& row,
                                                    const particulars& read, timestamp now) const;
    std::string token_for(const claimed_delivery& row) const;

    template_set& templates_;
    site shared_;
    config::secret token_key_;
};

/// Why the row must not be sent as things are now; empty: nothing is in the way. A pure function.
std::string reason_to_skip(const claimed_delivery& row, timestamp now);

} // namespace relais::notification
