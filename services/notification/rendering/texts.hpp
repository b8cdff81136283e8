#pragma once

#include "notification/domain/kinds.hpp"
#include "result/result.hpp"

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace relais::notification {

/// The sentences of all languages: one file <language>.properties each, lines of `key = pattern`,
/// patterns in ICU MessageFormat with named arguments ("{hours, plural, one {# hour} other
/// {# hours}}"). Immutable after loading; may be used by one thread at a time (ICU's formatters).
class texts {
public:
    /// Reads what it can and adds a line to `problems` for each thing that is wrong: a missing
    /// file, a line that is no text, a key twice, a pattern ICU refuses, keys that not all
    /// languages have.
    texts(const std::filesystem::path& folder, std::vector<std::string>& problems);
    ~texts();
    texts(const texts&) = delete;
    texts& operator=(const texts&) = delete;

    bool has(std::string_view key) const;
    std::set<std::string> keys() const;

    /// The arguments that the pattern of a key names in any language.
    std::set<std::string> arguments(std::string_view key) const;

    /// Errors: `internal` / "unknown-text" (no such key), "missing-variable" (the view lacks an
    /// argument), "bad-text" (ICU's word).
    result<std::string> format(std::string_view language, std::string_view key,
                               const view& values) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// "€ 12,50" in Dutch, "12,50 €" in French; whole amounts without decimals.
std::string format_money(const money& value, std::string_view language);

} // namespace relais::notification
