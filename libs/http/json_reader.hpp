#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relais::http {

namespace detail {
struct json_document;
struct json_node;
} // namespace detail

/// Limits of a text field, counted in Unicode code points.
struct text_limits {
    std::size_t min = 1;
    std::size_t max = 255;
};

/// Reads a JSON object strictly and collects every problem with its JSON pointer: duplicate keys,
/// invalid UTF-8, U+0000, depth over 16, wrong types, missing and unknown fields. Getters return a
/// neutral value when they note a problem; check finish() before using anything.
///
///   json_reader body(request.body);
///   const auto email = body.text("email", {1, 254});
///   const auto budget = body.object("budget");
///   const auto amount = budget.integer("amount_minor", 0, 1'000'000'00);
///   if (auto problems = body.finish(); !problems.empty()) { return problem(problems, &request); }
class json_reader {
public:
    /// A text that is no JSON object is one problem: `invalid` / "malformed-json" (400).
    explicit json_reader(std::string_view text);

    std::string text(std::string_view name, text_limits limits) const;
    std::optional<std::string> optional_text(std::string_view name, text_limits limits) const;
    /// One of the words; else problem "unknown-value".
    std::string choice(std::string_view name, const std::vector<std::string>& allowed) const;
    std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max) const;
    std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                                 std::int64_t max) const;
    bool boolean(std::string_view name) const;
    std::optional<bool> optional_boolean(std::string_view name) const;
    std::vector<std::string> texts(std::string_view name, std::size_t count_max,
                                   text_limits limits) const;
    std::vector<std::string> optional_texts(std::string_view name, std::size_t count_max,
                                            text_limits limits) const;
    json_reader object(std::string_view name) const;
    std::optional<json_reader> optional_object(std::string_view name) const;
    /// Objects of an array, at most count_max.
    std::vector<json_reader> objects(std::string_view name, std::size_t count_max) const;

    /// For answers of others (providers): members that nobody asked for are no problem.
    void allow_unknown() const;

    /// Adds a problem of the domain with a pointer to the member: "" for the object itself.
    void problem(std::string_view name, std::string slug, std::string detail) const;

    /// All problems of the whole document, unknown members included (call it on the outermost).
    std::vector<error> finish() const;

private:
    json_reader(std::shared_ptr<detail::json_document> document, const detail::json_node* node);
    std::shared_ptr<detail::json_document> document_; // shared by the readers of one document
    const detail::json_node* node_ = nullptr;
};

} // namespace relais::http
