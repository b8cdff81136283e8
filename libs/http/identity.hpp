#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "http/message.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace relais::http {

/// The header the gateway sets and services believe.
inline constexpr std::string_view identity_header = "x-relais-identity";

/// Makes the signed internal identity: a compact JWS (RFC 7515) with alg EdDSA (RFC 8037) and the
/// claims sub, sid, roles, auth_time, iat, exp, aud "relais". The gateway holds the private key.
class identity_signer {
public:
    /// 32 bytes of Ed25519 private key. Throws std::runtime_error when it is not one.
    explicit identity_signer(const config::secret& private_key);
    ~identity_signer();

    std::string sign(const identity& who, timestamp now, std::chrono::seconds lifetime) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// Checks signature, algorithm (EdDSA only), audience and times (30 s of clock skew).
class identity_verifier {
public:
    /// 32 bytes of Ed25519 public key. Throws std::runtime_error when it is not one.
    explicit identity_verifier(const config::secret& public_key);
    ~identity_verifier();

    /// Errors: `unauthenticated` / "invalid-identity"; `unavailable` / "clocks-disagree" when
    /// nothing but its times is wrong.
    result<identity> verify(std::string_view token, timestamp now) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace relais::http
