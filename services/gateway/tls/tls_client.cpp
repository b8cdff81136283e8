#include "gateway/tls/tls_client.hpp"

#include "gateway/tls/client_material.hpp"
#include "gateway/tls/served_certificate.hpp"
#include "gateway/tls/tls_context.hpp"

#include <stdexcept>

namespace relais::gateway {

std::expected<std::shared_ptr<const client_material>, std::vector<error>>
read_client_material(const tls_client_settings& settings, timestamp now) {
    std::vector<error> problems;
    auto out = std::make_shared<client_material>();
    auto trust = read_trust(settings.ca_file);
    if (trust) {
        out->trust = std::move(*trust);
    } else {
        problems.push_back(trust.error());
    }
    if (settings.chain_file.empty() != settings.key_file.empty()) {
        problems.push_back(
            {error_kind::invalid,
             "incomplete-certificate",
             "a chain file and a key file go together: " + settings.chain_file + settings.key_file,
             {},
             {}});
    } else if (!settings.chain_file.empty()) {
        out->own = read_key_and_chain(settings.chain_file, settings.key_file, problems);
    }
    if (out->own.leaf != nullptr) {
        check_validity(out->own, settings.chain_file, now, problems);
    }
    if (!problems.empty()) {
        return std::unexpected(std::move(problems));
    }
    return out;
}

tls_client::tls_client(tls_client_settings settings, const clock& clock)
    : settings_(std::move(settings)), clock_(clock) {
    const auto loaded = reload();
    if (!loaded) {
        std::string all;
        for (const auto& each : loaded.error()) {
            all += (all.empty() ? "" : "; ") + each.detail;
        }
        throw std::runtime_error(all);
    }
    alpn_list(settings_.alpn); // here, and not on a loop
}

std::vector<error> tls_client::check(const tls_client_settings& settings, timestamp now) {
    auto read = read_client_material(settings, now);
    return read ? std::vector<error>() : std::move(read.error());
}

tls_client::~tls_client() = default;

std::expected<void, std::vector<error>> tls_client::reload() {
    auto loaded = read_client_material(settings_, clock_.now());
    if (!loaded) {
        return std::unexpected(std::move(loaded.error()));
    }
    material_.publish(std::move(*loaded));
    return {};
}

std::vector<std::string> tls_client::files() const {
    std::vector<std::string> out;
    for (const auto& each : {settings_.ca_file, settings_.chain_file, settings_.key_file}) {
        if (!each.empty()) {
            out.push_back(each);
        }
    }
    return out;
}

} // namespace relais::gateway
