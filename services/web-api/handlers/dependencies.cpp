#include "web-api/handlers/dependencies.hpp"

#include "ids/encoding.hpp"

namespace relais::web_api {

std::vector<std::uint8_t> derive_key(const config::secret& from, std::string_view label) {
    return hmac_sha256(as_bytes(from.reveal()), as_bytes(label));
}

} // namespace relais::web_api
