#include "web-api/app.hpp"

int main(int argc, char** argv) {
    using namespace relais::web_api;
    return relais::host::run_service<settings, app>(
        argc, argv, "web-api", "accounts, sessions, profiles, consents, jobs, offers, campaigns",
        read_settings, app::build);
}
