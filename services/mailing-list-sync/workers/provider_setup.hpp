#pragma once

#include "log/logger.hpp"
#include "mailing-list-sync/provider/brevo.hpp"
#include "mailing-list-sync/workers/list_directory.hpp"

#include <string>

namespace relais::mailing_list_sync {

/// Keeps the account at the provider as we need it: our lists exist, our webhook is registered.
/// Looks once at the start (until it worked) and then every hour; never blocks the start of the
/// service.
class provider_setup {
public:
    provider_setup(brevo& provider, list_directory& lists, std::string webhook_url,
                   config::secret webhook_token, metrics::registry& metrics, log::logger logger);

    boost::asio::awaitable<void> run();

private:
    boost::asio::awaitable<result<void>> look();

    brevo& provider_;
    list_directory& lists_;
    std::string webhook_url_;
    config::secret webhook_token_;
    metrics::gauge last_success_;
    log::logger logger_;
};

} // namespace relais::mailing_list_sync
