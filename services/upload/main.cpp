#include "upload/app.hpp"

int main(int argc, char** argv) {
    using namespace relais;
    return host::run_service<upload::settings, upload::app>(
        argc, argv, "upload", "grants uploads to the object store and turns them into pictures",
        upload::read_settings, upload::build);
}
