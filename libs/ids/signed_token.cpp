#include "ids/signed_token.hpp"

#include "ids/encoding.hpp"

#include <algorithm>

namespace relais {
namespace {

constexpr std::size_t id_size = 16;
constexpr std::size_t expiry_size = 8;
constexpr std::size_t mac_size = 32;
constexpr std::size_t token_size = id_size + expiry_size + mac_size;

std::array<std::uint8_t, expiry_size> expiry_bytes(std::chrono::sys_seconds time) {
    const auto seconds = static_cast<std::uint64_t>(time.time_since_epoch().count());
    std::array<std::uint8_t, expiry_size> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<std::uint8_t>(seconds >> (56 - 8 * i));
    }
    return out;
}

std::vector<std::uint8_t> mac_of(std::span<const std::uint8_t> key, std::string_view purpose,
                                 const token_claims& claims) {
    std::vector<std::uint8_t> message(claims.id.bytes().begin(), claims.id.bytes().end());
    const auto purpose_bytes = as_bytes(purpose);
    message.insert(message.end(), purpose_bytes.begin(), purpose_bytes.end());
    const auto expiry = expiry_bytes(claims.expires_at);
    message.insert(message.end(), expiry.begin(), expiry.end());
    return hmac_sha256(key, message);
}

} // namespace

std::string sign_token(std::span<const std::uint8_t> key, std::string_view purpose,
                       const token_claims& claims) {
    std::vector<std::uint8_t> token(claims.id.bytes().begin(), claims.id.bytes().end());
    const auto expiry = expiry_bytes(claims.expires_at);
    token.insert(token.end(), expiry.begin(), expiry.end());
    const auto mac = mac_of(key, purpose, claims);
    token.insert(token.end(), mac.begin(), mac.end());
    return to_base64url(token);
}

result<token_claims> verify_token(std::span<const std::uint8_t> key, std::string_view purpose,
                                  std::string_view token, std::chrono::sys_seconds now) {
    const auto bytes = from_base64url(token);
    if (!bytes || bytes->size() != token_size) {
        return fail(error_kind::invalid, "invalid-token", "the token is not one of ours");
    }
    std::array<std::uint8_t, id_size> id{};
    std::copy_n(bytes->begin(), id_size, id.begin());
    std::uint64_t seconds = 0;
    for (std::size_t i = 0; i < expiry_size; ++i) {
        seconds = (seconds << 8) | (*bytes)[id_size + i];
    }
    const token_claims claims{uuid(id), std::chrono::sys_seconds(std::chrono::seconds(
                                            static_cast<std::int64_t>(seconds)))};
    const std::span<const std::uint8_t> given(bytes->data() + id_size + expiry_size, mac_size);
    if (!equal_in_constant_time(given, mac_of(key, purpose, claims))) {
        return fail(error_kind::invalid, "invalid-token", "the token is not one of ours");
    }
    if (now >= claims.expires_at) {
        return fail(error_kind::invalid, "expired-token",
                    "the token is too old; ask for a new one");
    }
    return claims;
}

} // namespace relais
