#include "http/json_reader.hpp"

#include "http/json_document.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::http {
namespace {

using detail::json_document;
using detail::json_kind;
using detail::json_node;

/// Code points of well-formed UTF-8 (the parser checked that): every byte that begins one.
std::size_t count_code_points(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](unsigned char byte) { return (byte & 0xc0U) != 0x80; }));
}

void note(json_document& document, std::string pointer, std::string slug, std::string detail) {
    document.problems.push_back(error{error_kind::invalid, std::move(slug), std::move(detail),
                                      std::move(pointer), std::nullopt});
}

/// A member that may be absent; JSON's null counts as absent.
const json_node* look_up(json_document& document, const json_node* object, std::string_view name) {
    const json_node* found = object == nullptr ? nullptr : object->find(name);
    if (found != nullptr) {
        document.asked.insert(found);
    }
    return found != nullptr && found->kind == json_kind::null ? nullptr : found;
}

/// A member that must be there, with this kind; otherwise the problem is noted.
const json_node* need(json_document& document, const json_node* object, std::string_view name,
                      json_kind kind, std::string_view expected) {
    if (object == nullptr) {
        return nullptr; // the reader of a member that is missing: told already
    }
    const json_node* found = object->find(name);
    if (found != nullptr) {
        document.asked.insert(found);
    }
    if (found != nullptr && found->kind == kind) {
        return found;
    }
    auto pointer = detail::pointer_step(detail::pointer_to(document, object), name);
    if (found == nullptr) {
        note(document, std::move(pointer), "missing-member", fmt::format("expected {}", expected));
    } else {
        note(document, std::move(pointer), "wrong-type", fmt::format("expected {}", expected));
    }
    return nullptr;
}

void check_length(json_document& document, const json_node* node, text_limits limits) {
    const std::size_t length = count_code_points(node->text);
    if (length >= limits.min && length <= limits.max) {
        return;
    }
    const bool short_one = length < limits.min;
    note(document, detail::pointer_to(document, node), short_one ? "too-short" : "too-long",
         fmt::format("expected {} to {} characters", limits.min, limits.max));
}

/// Members nobody asked for, in every object somebody read.
void note_unknown(json_document& document, const json_node* node, bool permissive) {
    permissive = permissive || document.permissive.contains(node);
    for (const auto& [name, value] : node->members) {
        if (!document.asked.contains(value.get())) {
            // A second member of the same name is a problem already.
            const bool repeated = node->find(name) != value.get();
            if (!permissive && !repeated && document.read.contains(node)) {
                note(document, detail::pointer_to(document, value.get()), "unknown-member",
                     "there is no such member");
            }
            continue;
        }
        note_unknown(document, value.get(), permissive);
    }
    for (const auto& element : node->elements) {
        note_unknown(document, element.get(), permissive);
    }
}

} // namespace

json_reader::json_reader(std::string_view text) : document_(std::make_shared<json_document>()) {
    detail::parse_json(text, *document_);
    node_ = document_->root.get();
    // Of what is no JSON object nothing can be missing: one problem, not one per member.
    if (!document_->problems.empty() && document_->problems.front().slug == "malformed-json") {
        node_ = nullptr;
    } else {
        document_->read.insert(node_);
    }
}

json_reader::json_reader(std::shared_ptr<json_document> document, const json_node* node)
    : document_(std::move(document)), node_(node) {
    if (node_ != nullptr) {
        document_->read.insert(node_);
    }
}

std::string json_reader::text(std::string_view name, text_limits limits) const {
    const json_node* node = need(*document_, node_, name, json_kind::text, "a text");
    if (node == nullptr) {
        return {};
    }
    check_length(*document_, node, limits);
    return node->text;
}

std::optional<std::string> json_reader::optional_text(std::string_view name,
                                                      text_limits limits) const {
    if (look_up(*document_, node_, name) == nullptr) {
        return std::nullopt;
    }
    return text(name, limits);
}

std::string json_reader::choice(std::string_view name,
                                const std::vector<std::string>& allowed) const {
    const json_node* node = need(*document_, node_, name, json_kind::text, "a text");
    if (node == nullptr) {
        return {};
    }
    if (std::ranges::find(allowed, node->text) == allowed.end()) {
        note(*document_, detail::pointer_to(*document_, node), "unknown-value",
             fmt::format("expected one of: {}", fmt::join(allowed, ", ")));
    }
    return node->text;
}

std::int64_t json_reader::integer(std::string_view name, std::int64_t min, std::int64_t max) const {
    if (node_ == nullptr) {
        return min;
    }
    const json_node* given = node_->find(name);
    if (given != nullptr && given->kind == json_kind::real) {
        // 1.5 and 10^30 are numbers, only not ones that can be taken.
        document_->asked.insert(given);
        note(*document_, detail::pointer_to(*document_, given), "out-of-range",
             fmt::format("expected a whole number from {} to {}", min, max));
        return min;
    }
    const json_node* node = need(*document_, node_, name, json_kind::integer, "a whole number");
    if (node == nullptr) {
        return min;
    }
    if (node->integer < min || node->integer > max) {
        note(*document_, detail::pointer_to(*document_, node), "out-of-range",
             fmt::format("expected a whole number from {} to {}", min, max));
        return min;
    }
    return node->integer;
}

std::optional<std::int64_t> json_reader::optional_integer(std::string_view name, std::int64_t min,
                                                          std::int64_t max) const {
    if (look_up(*document_, node_, name) == nullptr) {
        return std::nullopt;
    }
    return integer(name, min, max);
}

bool json_reader::boolean(std::string_view name) const {
    const json_node* node = need(*document_, node_, name, json_kind::boolean, "true or false");
    return node != nullptr && node->flag;
}

std::optional<bool> json_reader::optional_boolean(std::string_view name) const {
    if (look_up(*document_, node_, name) == nullptr) {
        return std::nullopt;
    }
    return boolean(name);
}

std::vector<std::string> json_reader::texts(std::string_view name, std::size_t count_max,
                                            text_limits limits) const {
    std::vector<std::string> out;
    const json_node* node = need(*document_, node_, name, json_kind::array, "an array of texts");
    if (node == nullptr) {
        return out;
    }
    if (node->elements.size() > count_max) {
        note(*document_, detail::pointer_to(*document_, node), "too-many-elements",
             fmt::format("expected at most {} elements", count_max));
        return out;
    }
    for (const auto& element : node->elements) {
        if (element->kind != json_kind::text) {
            note(*document_, detail::pointer_to(*document_, element.get()), "wrong-type",
                 "expected a text");
            continue;
        }
        check_length(*document_, element.get(), limits);
        out.push_back(element->text);
    }
    return out;
}

std::vector<std::string> json_reader::optional_texts(std::string_view name, std::size_t count_max,
                                                     text_limits limits) const {
    if (look_up(*document_, node_, name) == nullptr) {
        return {};
    }
    return texts(name, count_max, limits);
}

json_reader json_reader::object(std::string_view name) const {
    return {document_, need(*document_, node_, name, json_kind::object, "an object")};
}

std::optional<json_reader> json_reader::optional_object(std::string_view name) const {
    if (look_up(*document_, node_, name) == nullptr) {
        return std::nullopt;
    }
    return object(name);
}

std::vector<json_reader> json_reader::objects(std::string_view name, std::size_t count_max) const {
    std::vector<json_reader> out;
    const json_node* node = need(*document_, node_, name, json_kind::array, "an array of objects");
    if (node == nullptr) {
        return out;
    }
    if (node->elements.size() > count_max) {
        note(*document_, detail::pointer_to(*document_, node), "too-many-elements",
             fmt::format("expected at most {} elements", count_max));
        return out;
    }
    for (const auto& element : node->elements) {
        if (element->kind != json_kind::object) {
            note(*document_, detail::pointer_to(*document_, element.get()), "wrong-type",
                 "expected an object");
            continue;
        }
        out.push_back(json_reader(document_, element.get()));
    }
    return out;
}

void json_reader::allow_unknown() const {
    document_->permissive.insert(node_);
}

void json_reader::problem(std::string_view name, std::string slug, std::string detail) const {
    const auto here = detail::pointer_to(*document_, node_);
    note(*document_, name.empty() ? here : detail::pointer_step(here, name), std::move(slug),
         std::move(detail));
}

std::vector<error> json_reader::finish() const {
    if (node_ != nullptr) {
        note_unknown(*document_, document_->root.get(), false);
    }
    return document_->problems;
}

} // namespace relais::http
