#include "outbox/refusal.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace relais::outbox {
namespace {

constexpr std::array<std::string_view, 4> of_the_event{"record-too-large", "record-invalid",
                                                       "kafka-unknown-topic", "kafka-misuse"};
constexpr std::array<std::string_view, 2> of_the_setup{"kafka-denied", "partition-count"};

} // namespace

bool refused_for_good(const error& reason) {
    return may_be_diverted(reason) ||
           std::ranges::find(of_the_setup, reason.slug) != of_the_setup.end();
}

bool may_be_diverted(const error& reason) {
    return std::ranges::find(of_the_event, reason.slug) != of_the_event.end();
}

} // namespace relais::outbox
