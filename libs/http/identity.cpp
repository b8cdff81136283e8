#include "http/identity.hpp"

#include "http/json_reader.hpp"
#include "http/json_writer.hpp"
#include "ids/encoding.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace relais::http {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t token_bytes_max = 4096;
constexpr std::chrono::seconds skew{30};
constexpr std::string_view header_text = R"({"alg":"EdDSA"})";

struct key_deleter {
    void operator()(EVP_PKEY* key) const {
        EVP_PKEY_free(key);
    }
};

struct context_deleter {
    void operator()(EVP_MD_CTX* context) const {
        EVP_MD_CTX_free(context);
    }
};

using key_handle = std::unique_ptr<EVP_PKEY, key_deleter>;
using context_handle = std::unique_ptr<EVP_MD_CTX, context_deleter>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<error> invalid(std::string why) {
    return fail(error_kind::unauthenticated, "invalid-identity", std::move(why));
}

std::int64_t unix_seconds(std::chrono::sys_seconds time) {
    return time.time_since_epoch().count();
}

std::string text_of(const std::vector<std::uint8_t>& bytes) {
    return {bytes.begin(), bytes.end()};
}

/// Only this algorithm: a token that names another (or "none") is not one of ours.
bool is_our_header(std::string_view encoded) {
    const auto decoded = from_base64url(encoded);
    if (!decoded) {
        return false;
    }
    const auto text = text_of(*decoded);
    const json_reader header(text);
    const auto algorithm = header.text("alg", {1, 16});
    header.optional_text("typ", {1, 16});
    return header.finish().empty() && algorithm == "EdDSA";
}

bool is_signed_by(EVP_PKEY* key, std::string_view message,
                  std::span<const std::uint8_t> signature) {
    const context_handle context(EVP_MD_CTX_new());
    return context != nullptr && signature.size() == signature_bytes &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(message),
                            message.size()) == 1;
}

result<identity> read_claims(const std::string& text, std::int64_t now) {
    constexpr std::int64_t far_future = 1LL << 40;
    const json_reader claims(text);
    claims.allow_unknown();
    const auto subject = claims.text("sub", {1, 64});
    identity who;
    who.credential_id = claims.text("sid", {1, 64});
    who.roles = claims.optional_texts("roles", 16, {1, 64});
    const auto audience = claims.text("aud", {1, 64});
    const auto authenticated = claims.optional_integer("auth_time", 0, far_future);
    const auto issued = claims.integer("iat", 0, far_future);
    const auto expires = claims.integer("exp", 0, far_future);
    if (!claims.finish().empty()) {
        return invalid("the claims do not have the expected form");
    }
    const auto account = account_id::parse(subject);
    if (!account || audience != "relais") {
        return invalid(account ? "made for somebody else" : "the subject is no account");
    }
    if (now > expires + skew.count() || now < issued - skew.count()) {
        // The gateway makes this header for each request: the caller's session is not at fault, and
        // 401 would end it.
        return fail(error_kind::unavailable, "clocks-disagree",
                    now > expires ? "the identity has expired" : "the identity is from the future");
    }
    who.account = *account;
    who.authenticated_at =
        std::chrono::sys_seconds(std::chrono::seconds(authenticated.value_or(issued)));
    return who;
}

} // namespace

struct identity_signer::state {
    key_handle key;
};

identity_signer::identity_signer(const config::secret& private_key)
    : state_(std::make_unique<state>()) {
    const std::string& raw = private_key.reveal();
    if (raw.size() == key_bytes) {
        state_->key.reset(
            EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()));
    }
    if (state_->key == nullptr) {
        throw std::runtime_error("the identity's private key is not an Ed25519 key of 32 bytes");
    }
}

identity_signer::~identity_signer() = default;

std::string identity_signer::sign(const identity& who, timestamp now,
                                  std::chrono::seconds lifetime) const {
    const auto issued = std::chrono::floor<std::chrono::seconds>(now);
    json_writer claims;
    claims.begin_object().member("sub", who.account).member("sid", who.credential_id);
    claims.begin_array("roles");
    for (const auto& role : who.roles) {
        claims.element(role);
    }
    claims.end_array();
    claims.member("auth_time", unix_seconds(who.authenticated_at))
        .member("iat", unix_seconds(issued))
        .member("exp", unix_seconds(issued + lifetime))
        .member("aud", "relais")
        .end_object();
    const auto payload = claims.take();
    std::string message =
        to_base64url(as_bytes(header_text)) + "." + to_base64url(as_bytes(payload));

    std::array<std::uint8_t, signature_bytes> signature{};
    std::size_t size = signature.size();
    const context_handle context(EVP_MD_CTX_new());
    const bool made =
        context != nullptr &&
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
        EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(message), message.size()) ==
            1;
    if (!made) {
        throw std::runtime_error("signing an identity failed"); // out of memory: nothing to decide
    }
    message += '.';
    message += to_base64url(signature);
    return message;
}

struct identity_verifier::state {
    key_handle key;
};

identity_verifier::identity_verifier(const config::secret& public_key)
    : state_(std::make_unique<state>()) {
    const std::string& raw = public_key.reveal();
    if (raw.size() == key_bytes) {
        state_->key.reset(
            EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()));
    }
    if (state_->key == nullptr) {
        throw std::runtime_error("the identity's public key is not an Ed25519 key of 32 bytes");
    }
}

identity_verifier::~identity_verifier() = default;

result<identity> identity_verifier::verify(std::string_view token, timestamp now) const {
    const auto first = token.find('.');
    const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.size() > token_bytes_max) {
        return invalid("not a compact JWS");
    }
    if (!is_our_header(token.substr(0, first))) {
        return invalid("another algorithm");
    }
    const auto signature = from_base64url(token.substr(second + 1));
    if (!signature || !is_signed_by(state_->key.get(), token.substr(0, second), *signature)) {
        return invalid("the signature is not ours");
    }
    const auto payload = from_base64url(token.substr(first + 1, second - first - 1));
    if (!payload) {
        return invalid("the claims are not base64url");
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    return read_claims(text_of(*payload), seconds);
}

} // namespace relais::http
