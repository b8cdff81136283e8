#include "mailing-list-sync/domain/consent.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace relais::mailing_list_sync {
namespace {

constexpr std::chrono::minutes provider_clock_skew{10};

constexpr std::array<std::pair<consent_kind, std::string_view>, 5> words{{
    {consent_kind::granted, "granted"},
    {consent_kind::withdrawn, "withdrawn"},
    {consent_kind::provider_opt_out, "provider_opt_out"},
    {consent_kind::complaint, "complaint"},
    {consent_kind::erased, "erased"},
}};

bool is_dated_by_provider(consent_kind kind) {
    return kind == consent_kind::provider_opt_out || kind == consent_kind::complaint;
}

timestamp effective_at(const consent_event& entry) {
    return is_dated_by_provider(entry.kind) ? entry.occurred_at + provider_clock_skew
                                            : entry.occurred_at;
}

bool has(std::span<const consent_event> ledger, consent_kind kind) {
    return std::ranges::any_of(ledger, [kind](const auto& entry) { return entry.kind == kind; });
}

} // namespace

consent_state fold(std::span<const consent_event> ledger) {
    if (ledger.empty()) {
        return consent_state::unknown;
    }
    if (has(ledger, consent_kind::erased)) {
        return consent_state::erased;
    }
    if (has(ledger, consent_kind::complaint)) {
        return consent_state::opted_out;
    }
    // false < true: among entries of one moment the opt-out is the last.
    const auto rank = [](const consent_event& entry) {
        return std::pair(effective_at(entry), entry.kind != consent_kind::granted);
    };
    const auto last = std::ranges::max_element(ledger, std::ranges::less(), rank);
    return last->kind == consent_kind::granted ? consent_state::subscribed
                                               : consent_state::opted_out;
}

std::string_view to_string(consent_kind kind) {
    return std::ranges::find(words, kind, &decltype(words)::value_type::first)->second;
}

consent_kind parse_consent_kind(std::string_view word) {
    const auto found = std::ranges::find(words, word, &decltype(words)::value_type::second);
    // A word this version does not know can only have been written by a later one; refusing to
    // subscribe is the safe reading.
    return found == words.end() ? consent_kind::withdrawn : found->first;
}

} // namespace relais::mailing_list_sync
