#include "gateway/app.hpp"

int main(int argc, char** argv) {
    using namespace relais;
    return host::run_service<gateway::settings, gateway::app>(
        argc, argv, "gateway", "the edge: strict HTTP, routing, identity, drains",
        gateway::read_settings, gateway::build);
}
