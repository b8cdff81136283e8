#include "notification/app.hpp"

int main(int argc, char** argv) {
    using namespace relais;
    return host::run_service<notification::settings, notification::app>(
        argc, argv, "notification", "tells people what happened, by mail and push",
        notification::read_settings, notification::build);
}
