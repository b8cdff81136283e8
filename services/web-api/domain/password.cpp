#include "web-api/domain/password.hpp"

namespace relais::web_api {

result<void> check_password(std::string_view password) {
    if (password.size() < password_min_bytes) {
        return fail(error_kind::invalid, "password-too-short", "needs at least 8 bytes");
    }
    if (password.size() > password_max_bytes) {
        return fail(error_kind::invalid, "password-too-long", "must not exceed 1024 bytes");
    }
    return {};
}

} // namespace relais::web_api
