#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

// Internal: the tree that json_reader walks.
namespace relais::http::detail {

enum class json_kind { null, boolean, integer, real, text, array, object };

/// One value. Integers that do not fit 64 bits are kept as real: no getter takes them.
struct json_node {
    json_kind kind = json_kind::null;
    bool flag = false;
    std::int64_t integer = 0;
    std::string text;
    std::vector<std::pair<std::string, std::unique_ptr<json_node>>> members;
    std::vector<std::unique_ptr<json_node>> elements;
    const json_node* parent = nullptr;

    const json_node* find(std::string_view name) const;
};

/// A document and what its readers found out about it.
struct json_document {
    std::unique_ptr<json_node> root;
    std::vector<error> problems;
    std::unordered_set<const json_node*> asked;      ///< members somebody looked at
    std::unordered_set<const json_node*> read;       ///< objects that have a reader
    std::unordered_set<const json_node*> permissive; ///< objects whose unknown members are fine
};

/// Parses strictly. Problems of form (not JSON, no object, too deep, duplicate members, U+0000, too
/// many members) go to document.problems; root is an empty object when it is no JSON.
void parse_json(std::string_view text, json_document& document);

/// The JSON pointer of a node (RFC 6901).
std::string pointer_to(const json_document& document, const json_node* node);

/// One more step of a pointer.
std::string pointer_step(std::string_view parent, std::string_view name);

} // namespace relais::http::detail
