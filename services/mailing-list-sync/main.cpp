#include "mailing-list-sync/app.hpp"

int main(int argc, char** argv) {
    using namespace relais;
    return host::run_service<mailing_list_sync::settings, mailing_list_sync::app>(
        argc, argv, "mailing-list-sync",
        "keeps list membership and campaigns at the list provider equal to ours",
        mailing_list_sync::read_settings, mailing_list_sync::build);
}
