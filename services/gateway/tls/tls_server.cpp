#include "gateway/tls/tls_server.hpp"

#include "gateway/tls/client_authorities.hpp"
#include "gateway/tls/tls_context.hpp"

#include <stdexcept>

namespace relais::gateway {

tls_server::tls_server(tls_server_settings settings,
                       const published<certificate_store>& certificates,
                       const published<ticket_key_set>& keys, const clock& clock)
    : settings_(std::move(settings)), certificates_(certificates), ticket_keys_(keys),
      clock_(clock) {
    const auto loaded = reload_authorities();
    if (!loaded) {
        throw std::runtime_error(loaded.error().detail);
    }
    alpn_list(settings_.alpn); // here, and not on a loop
}

tls_server::~tls_server() = default;

result<void> tls_server::reload_authorities() {
    auto loaded = read_client_authorities(settings_);
    if (!loaded) {
        return fail(loaded);
    }
    authorities_.publish(std::move(*loaded));
    return {};
}

const tls_server_settings& tls_server::settings() const {
    return settings_;
}

} // namespace relais::gateway
