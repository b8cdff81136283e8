#include "notification/rendering/texts.hpp"

#include "notification/domain/language.hpp"
#include "notification/rendering/properties.hpp"

#include <fmt/format.h>
#include <unicode/messagepattern.h>
#include <unicode/msgfmt.h>
#include <unicode/numberformatter.h>
#include <unicode/ucurr.h>

#include <fstream>
#include <map>
#include <sstream>

namespace relais::notification {
namespace {

/// One pattern in one language.
struct sentence {
    std::unique_ptr<icu::MessageFormat> format;
    std::set<std::string> arguments;
};

using sentences = std::map<std::string, sentence, std::less<>>;

std::string to_utf8(const icu::UnicodeString& text) {
    std::string out;
    text.toUTF8String(out);
    return out;
}

icu::UnicodeString from_utf8(std::string_view text) {
    return icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

/// Every argument name, those inside plural branches too.
std::set<std::string> names_in(const icu::MessagePattern& pattern) {
    std::set<std::string> out;
    for (std::int32_t i = 0; i < pattern.countParts(); ++i) {
        const auto& part = pattern.getPart(i);
        if (part.getType() == UMSGPAT_PART_TYPE_ARG_NAME ||
            part.getType() == UMSGPAT_PART_TYPE_ARG_NUMBER) {
            out.insert(to_utf8(pattern.getSubstring(part)));
        }
    }
    return out;
}

/// The error in ICU's words, or an empty string.
std::string parse(std::string_view language, std::string_view text, sentence& out) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where{};
    const auto source = from_utf8(text);
    const icu::MessagePattern pattern(source, &where, status);
    if (U_SUCCESS(status)) {
        out.arguments = names_in(pattern);
        const icu::Locale locale(std::string(language).c_str());
        out.format = std::make_unique<icu::MessageFormat>(source, locale, where, status);
    }
    return U_FAILURE(status) ? fmt::format("{} at {}", u_errorName(status), where.offset)
                             : std::string();
}

icu::Formattable to_formattable(const view_value& value, std::string_view language) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return {from_utf8(*text)};
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return {*number};
    }
    return {from_utf8(format_money(std::get<money>(value), language))};
}

} // namespace

struct texts::state {
    std::map<std::string, sentences, std::less<>> languages;

    const sentence* find(std::string_view language, std::string_view key) const {
        const auto all = languages.find(language);
        if (all == languages.end()) {
            return nullptr;
        }
        const auto found = all->second.find(key);
        return found == all->second.end() ? nullptr : &found->second;
    }
};

texts::texts(const std::filesystem::path& folder, std::vector<std::string>& problems)
    : state_(std::make_unique<state>()) {
    for (const auto language : languages) {
        const auto name = fmt::format("{}.properties", language);
        const std::ifstream file(folder / name, std::ios::binary);
        if (!file) {
            problems.push_back(fmt::format("{}: cannot be read in {}", name, folder.string()));
            continue;
        }
        std::ostringstream content;
        content << file.rdbuf();
        auto& all = state_->languages[std::string(language)];
        const auto note = [&](int line, std::string_view what) {
            problems.push_back(fmt::format("{}:{}: {}", name, line, what));
        };
        const auto add = [&](int line, const std::string& key, const std::string& text) {
            sentence made;
            if (const auto refused = parse(language, text, made); !refused.empty()) {
                note(line, fmt::format("{}: {}", key, refused));
            }
            if (!all.emplace(key, std::move(made)).second) {
                note(line, fmt::format("{} is there twice", key));
            }
        };
        read_properties(content.str(), add, note);
    }
    for (const auto& key : keys()) {
        for (const auto& [language, all] : state_->languages) {
            if (!all.contains(key)) {
                problems.push_back(fmt::format("{}.properties: {} is missing", language, key));
            }
        }
    }
}

texts::~texts() = default;

bool texts::has(std::string_view key) const {
    return state_->find(fallback_language, key) != nullptr;
}

std::set<std::string> texts::keys() const {
    std::set<std::string> out;
    for (const auto& [language, all] : state_->languages) {
        for (const auto& [key, text] : all) {
            out.insert(key);
        }
    }
    return out;
}

std::set<std::string> texts::arguments(std::string_view key) const {
    std::set<std::string> out;
    for (const auto& [language, all] : state_->languages) {
        if (const auto found = all.find(key); found != all.end()) {
            out.insert(found->second.arguments.begin(), found->second.arguments.end());
        }
    }
    return out;
}

result<std::string> texts::format(std::string_view language, std::string_view key,
                                  const view& values) const {
    const auto* const found = state_->find(language, key);
    if (found == nullptr || !found->format) {
        return fail(error_kind::internal, "unknown-text", fmt::format("{} ({})", key, language));
    }
    std::vector<icu::UnicodeString> names;
    std::vector<icu::Formattable> arguments;
    for (const auto& name : found->arguments) {
        const auto value = values.find(name);
        if (value == values.end()) {
            return fail(error_kind::internal, "missing-variable",
                        fmt::format("{} ({}) needs {}", key, language, name));
        }
        names.push_back(from_utf8(name));
        arguments.push_back(to_formattable(value->second, language));
    }
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString out;
    found->format->format(names.data(), arguments.data(), static_cast<std::int32_t>(names.size()),
                          out, status);
    if (U_FAILURE(status)) {
        return fail(error_kind::internal, "bad-text",
                    fmt::format("{} ({}): {}", key, language, u_errorName(status)));
    }
    return to_utf8(out);
}

std::string format_money(const money& value, std::string_view language) {
    UErrorCode status = U_ZERO_ERROR;
    const auto code = from_utf8(value.currency);
    const icu::CurrencyUnit unit(
        icu::ConstChar16Ptr(icu::UnicodeString(code).getTerminatedBuffer()), status);
    const auto digits = ucurr_getDefaultFractionDigits(unit.getISOCurrency(), &status);
    const auto shown = icu::number::NumberFormatter::with()
                           .unit(unit)
                           .scale(icu::number::Scale::powerOfTen(-digits))
                           .precision(icu::number::Precision::currency(UCURR_USAGE_STANDARD)
                                          .trailingZeroDisplay(UNUM_TRAILING_ZERO_HIDE_IF_WHOLE))
                           .locale(icu::Locale(std::string(language).c_str()))
                           .formatInt(value.amount_minor, status)
                           .toString(status);
    if (U_FAILURE(status)) {
        return fmt::format("{} {}", value.amount_minor, value.currency);
    }
    return to_utf8(shown);
}

} // namespace relais::notification
