#include "gateway/compression/coding.hpp"

#include "http/tokens.hpp"

#include <algorithm>

namespace relais::gateway {
namespace {

constexpr int whole = 1000;
constexpr int wrong = -1;

/// A weight in ‰ (RFC 9110 §12.4.2: at most three digits after the point), or `wrong`.
int parse_weight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) {
        return wrong;
    }
    int value = (text[0] - '0') * whole;
    if (text.size() > 1 && text[1] != '.') {
        return wrong;
    }
    int unit = 100;
    for (const char digit : text.substr(std::min<std::size_t>(2, text.size()))) {
        if (digit < '0' || digit > '9') {
            return wrong;
        }
        value += (digit - '0') * unit;
        unit /= 10;
    }
    return value <= whole ? value : wrong;
}

/// The weight of a member, which may have parameters behind ";"; `wrong` for any but one q.
int weight_of(std::string_view parameters) {
    parameters = http::trim_blanks(parameters);
    if (parameters.empty()) {
        return whole;
    }
    if (parameters.size() < 2 || !http::equal_names(parameters.substr(0, 2), "q=")) {
        return wrong;
    }
    return parse_weight(parameters.substr(2));
}

} // namespace

std::string_view to_string(coding which) {
    switch (which) {
    case coding::gzip:
        return "gzip";
    case coding::brotli:
        return "br";
    case coding::zstd:
        return "zstd";
    case coding::identity:
        break;
    }
    return "identity";
}

std::string_view extension_of(coding which) {
    switch (which) {
    case coding::gzip:
        return ".gz";
    case coding::brotli:
        return ".br";
    case coding::zstd:
        return ".zst";
    case coding::identity:
        break;
    }
    return "";
}

std::optional<coding> coding_named(std::string_view name) {
    if (http::equal_names(name, "x-gzip")) { // RFC 9110 §8.4.1.3
        return coding::gzip;
    }
    for (const auto each : {coding::identity, coding::gzip, coding::brotli, coding::zstd}) {
        if (http::equal_names(name, to_string(each))) {
            return each;
        }
    }
    return std::nullopt;
}

accepted_codings accepted_codings::of(const http::request_head& head) {
    accepted_codings out;
    for (const auto& [name, value] : head.fields) {
        if (http::equal_names(name, "accept-encoding")) {
            out.add(value);
        }
    }
    return out;
}

accepted_codings accepted_codings::parse(std::string_view value) {
    accepted_codings out;
    out.add(value);
    return out;
}

void accepted_codings::add(std::string_view value) {
    std::string_view member;
    while (http::next_list_member(value, member)) {
        const auto semicolon = member.find(';');
        const auto name = http::trim_blanks(member.substr(0, semicolon));
        const int weight =
            semicolon == std::string_view::npos ? whole : weight_of(member.substr(semicolon + 1));
        if (weight == wrong) {
            continue;
        }
        if (name == "*") {
            others_ = weight;
        } else if (const auto which = coding_named(name)) {
            weights_[static_cast<std::size_t>(*which)] = weight;
        }
    }
}

int accepted_codings::weight(coding which) const {
    const int said = weights_[static_cast<std::size_t>(which)];
    return said != not_said ? said : std::max(others_, 0);
}

coding accepted_codings::best(std::span<const coding> offered) const {
    auto out = coding::identity;
    // Identity is always acceptable, but only who names it prefers it to a coding of less weight.
    int most = std::max(weights_[static_cast<std::size_t>(coding::identity)], 1) - 1;
    for (const auto each : offered) {
        const int offers = weight(each);
        if (offers > most) {
            most = offers;
            out = each;
        }
    }
    return out;
}

} // namespace relais::gateway
