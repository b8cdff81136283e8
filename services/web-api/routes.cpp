#include "web-api/routes.hpp"

#include "web-api/domain/credential.hpp"
#include "web-api/handlers/handlers.hpp"

namespace relais::web_api {
namespace {

using handler = answer (*)(dependencies&, const http::request&);

struct line {
    const char* method;
    const char* path;
    handler handle;
    http::access access;
    std::string_view role;
};

using enum http::access;
constexpr std::string_view marketing_role = "marketing";

// People's routes ask for the role of a signed-in person, not just for an identity: an API key is
// nobody's account.
constexpr line table[] = {
    {"POST", "/v1/accounts", register_account, open, {}},
    {"GET", "/v1/accounts/current", get_own_account, role, member_role},
    {"POST", "/v1/email-validations", validate_email, open, {}},
    {"PUT", "/v1/consents/{purpose}", put_consent, role, member_role},
    {"POST", "/v1/sessions", log_in, open, {}},
    {"GET", "/v1/sessions/current", get_current_session, role, member_role},
    {"DELETE", "/v1/sessions/current", log_out, role, member_role},
    {"GET", "/v1/profiles/{id}", get_profile, open, {}},
    {"POST", "/v1/devices", register_device, role, member_role},
    {"GET", "/v1/devices", list_devices, role, member_role},
    {"POST", "/v1/jobs", publish_job, role, member_role},
    {"GET", "/v1/jobs", list_jobs, open, {}},
    {"GET", "/v1/jobs/{id}", get_job, open, {}},
    {"POST", "/v1/jobs/{id}/offers", make_offer, role, member_role},
    {"GET", "/v1/jobs/{id}/offers", list_offers, role, member_role},
    {"POST", "/v1/offers/{id}/acceptance", accept_offer, role, member_role},
    {"POST", "/v1/campaigns", request_campaign, role, marketing_role},
    {"GET", "/v1/campaigns/{id}", get_campaign, role, marketing_role},
    {"GET", "/v1/openapi.json", get_openapi, open, {}},
    {"POST", "/internal/v1/introspections", introspect, internal, {}},
};

} // namespace

std::vector<http::route> routes(dependencies& with) {
    std::vector<http::route> all;
    for (const auto& entry : table) {
        all.push_back(
            {.method = entry.method,
             .path = entry.path,
             .handle = [&with, handle = entry.handle](
                           const http::request& request) { return handle(with, request); },
             .access = entry.access,
             .role = std::string(entry.role)});
    }
    return all;
}

} // namespace relais::web_api
