#include "gateway/answers/field_rules.hpp"

#include "http/tokens.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

bool has_field(const answer_head& head, std::string_view name) {
    return std::ranges::any_of(
        head.fields, [name](const auto& field) { return http::equal_names(field.name, name); });
}

std::uint64_t length_bit(std::string_view name) {
    return std::uint64_t{1} << (name.size() % 64);
}

} // namespace

void field_rules::put(line what) {
    const auto said = std::ranges::find_if(
        lines_, [&what](const auto& each) { return http::equal_names(each.name, what.name); });
    if (said == lines_.end()) {
        lines_.push_back(std::move(what));
    } else {
        *said = std::move(what);
    }
}

void field_rules::set(std::string name, std::string value) {
    remove(name);
    put({std::move(name), std::move(value), when::always});
}

void field_rules::add_missing(std::string name, std::string value) {
    put({std::move(name), std::move(value), when::missing});
}

void field_rules::remove(std::string name) {
    if (!removes(name)) {
        gone_lengths_ |= length_bit(name);
        gone_.push_back(std::move(name));
    }
}

void field_rules::use_security_preset() {
    add_missing("X-Content-Type-Options", "nosniff");
    add_missing("X-Frame-Options", "DENY");
    add_missing("Content-Security-Policy", "frame-ancestors 'none'");
    add_missing("Referrer-Policy", "strict-origin-when-cross-origin");
    add_missing("Cross-Origin-Opener-Policy", "same-origin");
    add_missing("X-Permitted-Cross-Domain-Policies", "none");
    remove("X-Powered-By");
}

void field_rules::add(const field_rules& later) {
    for (const auto& each : later.gone_) {
        remove(each);
        std::erase_if(lines_,
                      [&each](const auto& known) { return http::equal_names(known.name, each); });
    }
    for (const auto& each : later.lines_) {
        put(each);
    }
}

bool field_rules::removes(std::string_view name) const {
    return (gone_lengths_ & length_bit(name)) != 0 &&
           std::ranges::any_of(gone_,
                               [name](const auto& each) { return http::equal_names(each, name); });
}

void field_rules::apply(answer_head& to) const {
    std::erase_if(to.fields, [this](const auto& field) { return removes(field.name); });
    for (const auto& each : lines_) {
        if (each.added == when::always || !has_field(to, each.name)) {
            to.fields.push_back({each.name, each.value});
        }
    }
}

} // namespace relais::gateway
