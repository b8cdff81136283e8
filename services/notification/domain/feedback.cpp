#include "notification/domain/feedback.hpp"

namespace relais::notification {
namespace {

constexpr std::uint32_t soft_bounces_max = 5;
constexpr std::chrono::hours soft_suppression{24 * 30};

/// Refusals by the provider itself that tell that the address must not be written to.
bool names_the_address(std::string_view error) {
    return error == "blacklisted" || error == "spam reporter" || error == "preblocked";
}

} // namespace

std::string_view to_string(feedback value) {
    switch (value) {
    case feedback::delivered:
        return "delivered";
    case feedback::deferred:
        return "deferred";
    case feedback::bounced_soft:
        return "bounced-soft";
    case feedback::bounced_hard:
        return "bounced-hard";
    case feedback::rejected:
        return "rejected";
    case feedback::complained:
        return "complained";
    case feedback::unsubscribed:
        return "unsubscribed";
    case feedback::opened:
        return "opened";
    case feedback::clicked:
        return "clicked";
    case feedback::other:
        return "other";
    }
    return "other";
}

feedback from_mailjet(const mailjet_words& words) {
    if (words.event == "sent") {
        return feedback::delivered; // the receiving server took it
    }
    if (words.event == "bounce") {
        if (words.error == "greylisted") {
            return feedback::deferred;
        }
        const bool about_the_person =
            words.error_related_to == "recipient" || words.error_related_to == "domain";
        if (words.hard_bounce && about_the_person) {
            return feedback::bounced_hard;
        }
        return about_the_person ? feedback::bounced_soft : feedback::rejected;
    }
    if (words.event == "blocked") {
        return feedback::rejected;
    }
    if (words.event == "spam") {
        return feedback::complained;
    }
    if (words.event == "unsub") {
        return feedback::unsubscribed;
    }
    if (words.event == "open") {
        return feedback::opened;
    }
    return words.event == "click" ? feedback::clicked : feedback::other;
}

std::optional<health_change> judge(feedback what, std::string_view error,
                                   const address_health& before) {
    using enum health_change::scope;
    switch (what) {
    case feedback::delivered:
        if (before.soft_bounces == 0) {
            return std::nullopt;
        }
        return health_change{std::nullopt, std::nullopt, 0, "delivered"};
    case feedback::bounced_hard:
        return health_change{all, std::nullopt, before.soft_bounces, "hard-bounce"};
    case feedback::bounced_soft: {
        const auto count = before.soft_bounces + 1;
        if (count >= soft_bounces_max) {
            return health_change{all, soft_suppression, 0, "soft-bounces"};
        }
        return health_change{std::nullopt, std::nullopt, count, "soft-bounce"};
    }
    case feedback::complained:
        return health_change{activity, std::nullopt, before.soft_bounces, "complaint"};
    case feedback::rejected:
        if (!names_the_address(error)) {
            return std::nullopt;
        }
        return health_change{error == "spam reporter" ? activity : all, std::nullopt,
                             before.soft_bounces, "blocked"};
    default:
        return std::nullopt;
    }
}

} // namespace relais::notification
