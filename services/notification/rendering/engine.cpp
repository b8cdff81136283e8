#include "notification/rendering/engine.hpp"

#include "notification/rendering/composition.hpp"

#include <fmt/format.h>

#include <kainjow/mustache.hpp>
#include <optional>
#include <sstream>

namespace relais::notification {
namespace {

namespace mustache = kainjow::mustache;

/// The five characters, the apostrophe as a number: old mail clients do not know &apos;.
std::string escape_html(const std::string& text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string as_text(const view_value& value, std::string_view language) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return *text;
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return fmt::to_string(*number);
    }
    return format_money(std::get<money>(value), language);
}

/// Where mustache looks up names: a name that is not there is noted instead of rendering as
/// nothing.
class strict_context final : public mustache::basic_context<std::string> {
public:
    explicit strict_context(mustache::object values) : values_(std::move(values)) {}

    void push(const mustache::data* /*data*/) override {}

    void pop() override {}

    const mustache::data* get(const std::string& name) const override {
        const auto found = values_.find(name);
        if (found == values_.end()) {
            missing_ = name;
            return nullptr;
        }
        return &found->second;
    }

    const mustache::data* get_partial(const std::string& name) const override {
        return get(name);
    }

    const std::string& missing() const {
        return missing_;
    }

private:
    mustache::object values_;
    mutable std::string missing_;
};

} // namespace

struct engine_template::state {
    mustache::mustache parsed;
    form as;
};

engine_template::engine_template(const std::string& source, form as)
    : state_(std::make_unique<state>(state{mustache::mustache(source), as})) {
    if (as == form::html) {
        state_->parsed.set_custom_escape(escape_html);
    } else {
        state_->parsed.set_custom_escape([](const std::string& text) { return text; });
    }
}

engine_template::~engine_template() = default;
engine_template::engine_template(engine_template&&) noexcept = default;
engine_template& engine_template::operator=(engine_template&&) noexcept = default;

const std::string& engine_template::problem() const {
    return state_->parsed.error_message();
}

result<std::string> engine_template::render(const kind& what, std::string_view language,
                                            const texts& sentences, const view& values) {
    std::optional<error> failed;
    mustache::object data;
    for (const auto& [name, value] : values) {
        data.emplace(name, mustache::data(as_text(value, language)));
    }
    const auto translate = [&](const std::string& key, const mustache::renderer& /*unused*/) {
        auto text = sentences.format(language, absolute_key(what, key), values);
        if (!text) {
            failed = text.error();
            return std::string();
        }
        return state_->as == form::html ? escape_html(*text) : *text;
    };
    data.emplace("t", mustache::data(mustache::lambda2(translate)));
    strict_context context(std::move(data));
    std::ostringstream out;
    state_->parsed.render(context, out);
    if (!failed && !context.missing().empty()) {
        failed = error{error_kind::internal, "missing-variable", context.missing(), "", {}};
    }
    if (failed) {
        return std::unexpected(*failed);
    }
    return out.str();
}

} // namespace relais::notification
