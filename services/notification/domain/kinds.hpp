#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace relais::notification {

using delivery_id = id<struct delivery_tag>;

enum class channel { mail, push };

std::string_view to_string(channel value);

/// What a message is for, which decides who may still get it: after a complaint nobody gets
/// `activity`, and it never goes to an address that was not proven.
enum class category {
    security, ///< the account cannot be used or protected without it
    activity, ///< something happened that concerns the person
};

/// One kind of notification; its name is the template's, the metric label's and the ledger's.
struct kind {
    std::string_view name;
    notification::category category;
    bool has_mail;
    bool has_push;
    std::chrono::hours useful_for; ///< after that it is not sent any more (unless the event says)
};

std::span<const kind> all_kinds();
const kind* find_kind(std::string_view name);

struct money {
    std::int64_t amount_minor = 0;
    std::string currency; ///< ISO 4217

    friend bool operator==(const money&, const money&) = default;
};

/// What the causing event said, without personal data: kept in the ledger, the rest is read when
/// the message is made.
struct facts {
    std::optional<uuid> token_id; ///< of the validation that the mail's link proves
    std::optional<timestamp> token_expires_at;
    std::optional<job_id> job;
    std::optional<offer_id> offer;
    std::optional<money> price;

    friend bool operator==(const facts&, const facts&) = default;
};

/// The values that a template and its texts may name. Numbers choose plural forms; money is written
/// the way of the reader's language.
using view_value = std::variant<std::string, std::int64_t, money>;
using view = std::map<std::string, view_value, std::less<>>;

} // namespace relais::notification
