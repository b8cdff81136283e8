#include "http/json_document.hpp"
#include "http/target.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <cmath>
#include <limits>

namespace relais::http::detail {
namespace {

namespace json = boost::json;

constexpr std::size_t depth_max = 16;
constexpr std::size_t members_max = 256;
constexpr std::size_t name_bytes_max = 128;

struct finding {
    std::string slug;
    std::string detail;
    const json_node* node;
};

/// What Boost's parser calls. Boost's own tree keeps the last of two equal names silently; this one
/// tells. Findings keep the node, because pointers can be told only when the tree is whole.
class tree_builder {
public:
    static constexpr std::size_t max_object_size = members_max;
    static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
    static constexpr std::size_t max_key_size = name_bytes_max;
    static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
    using failure = json::error_code;

    std::unique_ptr<json_node> root;
    std::vector<finding> findings;

    const json_node* innermost() const {
        return open_.empty() ? nullptr : open_.back();
    }

    bool on_document_begin(failure& /*failed*/) {
        return true;
    }

    bool on_document_end(failure& /*failed*/) {
        return true;
    }

    bool on_object_begin(failure& /*failed*/) {
        open_.push_back(place(json_kind::object));
        return true;
    }

    bool on_object_end(std::size_t /*size*/, failure& /*failed*/) {
        open_.pop_back();
        return true;
    }

    bool on_array_begin(failure& /*failed*/) {
        open_.push_back(place(json_kind::array));
        return true;
    }

    bool on_array_end(std::size_t /*size*/, failure& /*failed*/) {
        open_.pop_back();
        return true;
    }

    bool on_key_part(json::string_view part, std::size_t /*size*/, failure& /*failed*/) {
        text_.append(part.data(), part.size());
        return true;
    }

    bool on_key(json::string_view part, std::size_t /*size*/, failure& /*failed*/) {
        text_.append(part.data(), part.size());
        name_ = std::exchange(text_, std::string());
        return true;
    }

    bool on_string_part(json::string_view part, std::size_t /*size*/, failure& /*failed*/) {
        text_.append(part.data(), part.size());
        return true;
    }

    bool on_string(json::string_view part, std::size_t /*size*/, failure& /*failed*/) {
        text_.append(part.data(), part.size());
        json_node* node = place(json_kind::text);
        node->text = std::exchange(text_, std::string());
        if (node->text.find('\0') != std::string::npos) {
            findings.push_back({"invalid-text", "U+0000 is not allowed", node});
        }
        return true;
    }

    bool on_number_part(json::string_view /*part*/, failure& /*failed*/) {
        return true;
    }

    bool on_int64(std::int64_t value, json::string_view /*text*/, failure& /*failed*/) {
        place(json_kind::integer)->integer = value;
        return true;
    }

    bool on_uint64(std::uint64_t /*value*/, json::string_view /*text*/, failure& /*failed*/) {
        place(json_kind::real); // Boost calls this only for what does not fit std::int64_t
        return true;
    }

    /// 30000.0 and 3e4 are whole numbers too (JSON Schema 2020-12 §4.2.3), as far as a double is
    /// exact.
    bool on_double(double value, json::string_view /*text*/, failure& /*failed*/) {
        constexpr double exact = 9007199254740992.0; // 2^53
        if (std::abs(value) <= exact && std::trunc(value) == value) {
            place(json_kind::integer)->integer = static_cast<std::int64_t>(value);
        } else {
            place(json_kind::real);
        }
        return true;
    }

    bool on_bool(bool value, failure& /*failed*/) {
        place(json_kind::boolean)->flag = value;
        return true;
    }

    bool on_null(failure& /*failed*/) {
        place(json_kind::null);
        return true;
    }

    bool on_comment_part(json::string_view /*part*/, failure& /*failed*/) {
        return true;
    }

    bool on_comment(json::string_view /*part*/, failure& /*failed*/) {
        return true;
    }

private:
    json_node* place(json_kind kind) {
        auto made = std::make_unique<json_node>();
        json_node* node = made.get();
        node->kind = kind;
        if (open_.empty()) {
            root = std::move(made);
            return node;
        }
        json_node* parent = open_.back();
        node->parent = parent;
        if (parent->kind == json_kind::array) {
            parent->elements.push_back(std::move(made));
            return node;
        }
        if (parent->find(name_) != nullptr) {
            findings.push_back({"duplicate-member", "the member stands there twice", node});
        }
        if (name_.find('\0') != std::string::npos) {
            findings.push_back({"invalid-text", "a member's name has U+0000", parent});
        }
        parent->members.emplace_back(std::exchange(name_, std::string()), std::move(made));
        return node;
    }

    std::vector<json_node*> open_;
    std::string name_;
    std::string text_;
};

error malformed(const json_document& document, std::string detail, const json_node* where) {
    return error{error_kind::invalid, "malformed-json", std::move(detail),
                 pointer_to(document, where), std::nullopt};
}

/// The limits are of our making, so they are named; other messages are Boost's.
std::string explain(const json::error_code& failed) {
    if (failed == json::error::too_deep) {
        return "nested deeper than 16 levels";
    }
    if (failed == json::error::object_too_large) {
        return "an object has more than 256 members";
    }
    if (failed == json::error::key_too_large) {
        return "a member's name is longer than 128 bytes";
    }
    return failed.message();
}

} // namespace

const json_node* json_node::find(std::string_view name) const {
    for (const auto& [key, value] : members) {
        if (key == name) {
            return value.get();
        }
    }
    return nullptr;
}

void parse_json(std::string_view text, json_document& document) {
    json::parse_options options;
    options.max_depth = depth_max;
    json::basic_parser<tree_builder> parser(options);
    json::error_code failed;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failed);
    tree_builder& built = parser.handler();
    if (!failed && used < text.size()) {
        failed = json::error::extra_data;
    }
    const json_node* where = built.innermost();
    document.root = std::move(built.root);
    if (document.root == nullptr || document.root->kind != json_kind::object || failed) {
        const bool only_no_object = !failed && document.root != nullptr;
        document.problems.push_back(malformed(
            document, only_no_object ? "expected a JSON object" : explain(failed), where));
        document.root = std::make_unique<json_node>();
        document.root->kind = json_kind::object;
        return;
    }
    for (const finding& each : built.findings) {
        document.problems.push_back(error{error_kind::invalid, each.slug, each.detail,
                                          pointer_to(document, each.node), std::nullopt});
    }
}

std::string pointer_step(std::string_view parent, std::string_view name) {
    std::string out(parent);
    out += '/';
    for (const char c : name) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

std::string pointer_to(const json_document& document, const json_node* node) {
    if (node == nullptr || node == document.root.get() || node->parent == nullptr) {
        return {};
    }
    auto parent = pointer_to(document, node->parent);
    for (const auto& [name, value] : node->parent->members) {
        if (value.get() == node) {
            return pointer_step(parent, name);
        }
    }
    for (std::size_t i = 0; i < node->parent->elements.size(); ++i) {
        if (node->parent->elements[i].get() == node) {
            return pointer_step(parent, std::to_string(i));
        }
    }
    return parent;
}

} // namespace relais::http::detail
