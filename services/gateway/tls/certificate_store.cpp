#include "gateway/tls/certificate_store.hpp"

#include "gateway/tls/served_certificate.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>

namespace relais::gateway {
namespace {

struct text_hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

using choices = std::unordered_map<std::string, certificate_choice, text_hash, std::equal_to<>>;

constexpr std::size_t name_max = 253;

void offer(certificate_choice& choice, const served_certificate& certificate) {
    auto& place = certificate.facts.kind == key_kind::ecdsa ? choice.ecdsa : choice.rsa;
    if (place == nullptr) {
        place = &certificate;
    }
}

} // namespace

struct certificate_store::state {
    std::vector<served_certificate> certificates;
    std::vector<certificate_facts> facts;
    choices exact;
    choices wildcards; ///< by what follows "*."
    certificate_choice fallback;

    void offer_names(const served_certificate& certificate);
    const certificate_choice* find(std::string_view name) const;
};

void certificate_store::state::offer_names(const served_certificate& certificate) {
    for (const auto& name : certificate.facts.dns_names) {
        if (name.starts_with("*.")) {
            offer(wildcards[name.substr(2)], certificate);
        } else {
            offer(exact[name], certificate);
        }
    }
}

/// `name` is in lower case.
const certificate_choice* certificate_store::state::find(std::string_view name) const {
    const auto same = exact.find(name);
    if (same != exact.end()) {
        return &same->second;
    }
    const auto dot = name.find('.');
    if (dot == std::string_view::npos || dot == 0) {
        return nullptr;
    }
    const auto wildcard = wildcards.find(name.substr(dot + 1));
    return wildcard != wildcards.end() ? &wildcard->second : nullptr;
}

std::string_view to_string(key_kind kind) {
    return kind == key_kind::ecdsa ? "ecdsa" : "rsa";
}

std::chrono::seconds certificate_facts::left(timestamp now) const {
    return std::chrono::floor<std::chrono::seconds>(not_after - now);
}

certificate_store::certificate_store(std::unique_ptr<state> made) : state_(std::move(made)) {}

certificate_store::~certificate_store() = default;

certificate_store::load_result certificate_store::load(std::span<const certificate_files> files,
                                                       timestamp now) {
    std::vector<error> problems;
    auto made = std::make_unique<state>();
    made->certificates.reserve(files.size()); // choices point into it
    for (const auto& each : files) {
        made->certificates.push_back(read_served_certificate(each, now, problems));
    }
    if (files.empty()) {
        problems.push_back({error_kind::invalid, "no-certificates", "none is configured", {}, {}});
    }
    if (!problems.empty()) {
        return std::unexpected(std::move(problems));
    }
    for (const auto& each : made->certificates) {
        made->offer_names(each);
        made->facts.push_back(each.facts);
    }
    const auto& names = made->facts.front().dns_names;
    const auto* first = names.empty() ? nullptr : made->find(names.front());
    if (first != nullptr) {
        made->fallback = *first;
    } else {
        offer(made->fallback, made->certificates.front());
    }
    return std::shared_ptr<const certificate_store>(new certificate_store(std::move(made)));
}

const certificate_choice& certificate_store::choose(std::string_view server_name) const {
    if (server_name.empty() || server_name.size() > name_max) {
        return state_->fallback;
    }
    std::array<char, name_max> lower{};
    const auto end = std::ranges::transform(server_name, lower.begin(), [](char c) {
                         return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
                     }).out;
    const auto* found = state_->find({lower.begin(), end});
    return found != nullptr ? *found : state_->fallback;
}

const std::vector<certificate_facts>& certificate_store::certificates() const {
    return state_->facts;
}

const certificate_facts& certificate_store::facts(const certificate_choice& choice) const {
    return choice.ecdsa != nullptr ? choice.ecdsa->facts : choice.rsa->facts;
}

std::vector<std::string> file_names(std::span<const certificate_files> files) {
    std::vector<std::string> out;
    for (const auto& each : files) {
        out.push_back(each.chain_file);
        out.push_back(each.key_file);
    }
    return out;
}

} // namespace relais::gateway
