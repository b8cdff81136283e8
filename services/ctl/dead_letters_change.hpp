#pragma once

#include "ctl/command.hpp"
#include "inbox/dead_letters.hpp"

namespace relais::ctl {

/// "50/s", "600/m", "50": letters a second. Error: `invalid` / "usage".
result<double> parse_rate(const std::string& text);

/// dead-letters redrive, edit and discard. Without --yes they only say what they would do: they do
/// it, and take it back.
result<void> redrive_letters(const context& where, const arguments& given,
                             const inbox::dead_letter_filter& filter);
result<void> edit_letter(const context& where, const arguments& given);
result<void> discard_letters(const context& where, const arguments& given);

/// The words after the verb, as ids. Error: `invalid` / "usage".
result<std::vector<std::int64_t>> ids_of(const arguments& given);

} // namespace relais::ctl
