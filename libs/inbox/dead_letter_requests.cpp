#include "inbox/dead_letter_requests.hpp"

#include <charconv>
#include <limits>

namespace relais::inbox::detail {
namespace {

constexpr std::int64_t listed_usually = 100;
constexpr std::int64_t listed_max = 1'000;
constexpr std::size_t note_size_max = 500;
constexpr std::int64_t redriven_a_second = 50; // as relaisctl
constexpr std::int64_t redriven_a_second_max = 10'000;

result<std::int64_t> number_from(std::string_view text, std::int64_t max) {
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() || number < 1 || number > max) {
        return fail(error_kind::invalid, "unknown-value",
                    "a number from 1 to " + std::to_string(max) + " is wanted");
    }
    return number;
}

} // namespace

result<std::string> word_of(const http::request& request, std::string_view name) {
    const auto given = request.query_parameter(name);
    return given ? result<std::string>(given->value_or("")) : fail(given);
}

result<std::int64_t> id_from(std::string_view text) {
    return number_from(text, std::numeric_limits<std::int64_t>::max());
}

result<dead_letter_filter> filter_from(const http::request& request) {
    const auto topic = word_of(request, "topic");
    const auto reason = word_of(request, "reason");
    const auto fingerprint = word_of(request, "fingerprint");
    const auto settled = word_of(request, "settled");
    const auto limit = word_of(request, "limit");
    for (const auto* each : {&topic, &reason, &fingerprint, &settled, &limit}) {
        if (!*each) {
            return fail(*each);
        }
    }
    const auto most =
        limit->empty() ? result<std::int64_t>(listed_usually) : number_from(*limit, listed_max);
    if (!most) {
        return fail(most);
    }
    return dead_letter_filter{.topic = *topic,
                              .reason = *reason,
                              .redriven = *settled == "true",
                              .fingerprint = *fingerprint,
                              .limit = static_cast<std::size_t>(*most)};
}

result<std::int64_t> rate_from(const http::request& request) {
    const auto rate = word_of(request, "rate");
    if (!rate || rate->empty()) {
        return rate ? redriven_a_second : result<std::int64_t>(fail(rate));
    }
    return number_from(*rate, redriven_a_second_max);
}

result<order> order_from(const http::request& request) {
    const auto by = word_of(request, "by");
    const auto why = word_of(request, "why");
    const auto yes = word_of(request, "yes");
    for (const auto* each : {&by, &why, &yes}) {
        if (!*each) {
            return fail(*each);
        }
    }
    if (by->empty() || by->size() > note_size_max || why->size() > note_size_max) {
        return fail(error_kind::invalid, "unknown-value",
                    "by: who does this, in at most 500 bytes; why likewise");
    }
    return order{{*by, *why}, *yes == "true"};
}

} // namespace relais::inbox::detail
