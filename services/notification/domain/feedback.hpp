#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relais::notification {

/// What a provider tells about a message later: one vocabulary for all providers.
enum class feedback {
    delivered,
    deferred,
    bounced_soft,
    bounced_hard,
    rejected,
    complained,
    unsubscribed,
    opened,
    clicked,
    other,
};

std::string_view to_string(feedback value);

/// An event of Mailjet's Event API in our words. `greylisted` is a deferral, whatever it is called.
struct mailjet_words {
    std::string_view event;
    bool hard_bounce = false;
    std::string_view error_related_to;
    std::string_view error;
};

feedback from_mailjet(const mailjet_words& words);

/// What is known about an address's health.
struct address_health {
    std::uint32_t soft_bounces = 0; ///< in a row, without a delivery between them
};

/// What an event does to the address it is about.
struct health_change {
    /// nullopt: nothing new is suppressed.
    enum class scope { activity, all };
    std::optional<scope> suppress;
    std::optional<std::chrono::hours> suppress_for; ///< nullopt: until somebody lifts it
    std::uint32_t soft_bounces = 0;
    std::string reason;
};

/// Graded (provider-side content and policy refusals never count against the person): a hard bounce
/// suppresses the address; a complaint everything but security mail; five soft bounces in a row
/// suppress for thirty days; a delivery starts the count anew. nullopt: the event says nothing
/// about the address.
std::optional<health_change> judge(feedback what, std::string_view error,
                                   const address_health& before);

} // namespace relais::notification
