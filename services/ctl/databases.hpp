#pragma once

#include "ctl/command.hpp"
#include "postgres/pool.hpp"

#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

namespace relais::ctl {

/// "web-api", "upload", "notification", "mailing-list-sync".
const std::vector<std::string>& services_with_database();

/// "web-api" → "web_api"; also the name of the service's role.
std::string database_of(const std::string& service);

/// The URL of a server ("postgresql://user@host:port") for one of its databases.
std::string with_database(const std::string& server_url, const std::string& database);

/// The service of --service, or all. Error: `invalid` / "usage" for one without a database.
result<std::vector<std::string>> chosen_services(const arguments& given);

/// Error: `invalid` / "configuration" with the variable's name.
result<std::string> required_variable(const context& where, std::string_view name);

/// One connection to a service's database, as the owner of its objects.
class service_database {
public:
    service_database(const std::string& server_url, const std::string& service,
                     std::chrono::seconds at_most = std::chrono::seconds(5));
    ~service_database();
    service_database(const service_database&) = delete;
    service_database& operator=(const service_database&) = delete;

    /// One transaction; blocks, `at_most` as long as was said.
    result<void> run(const std::function<result<void>(pg::transaction&)>& work);

private:
    std::chrono::seconds at_most_;
    boost::asio::io_context loop_{1};
    metrics::registry metrics_;
    pg::pool pool_;
};

/// Runs one transaction on a service's database, as the owner of its objects.
result<void> on_database(const context& where, const std::string& service,
                         const std::function<result<void>(pg::transaction&)>& work,
                         std::chrono::seconds at_most = std::chrono::seconds(5));

} // namespace relais::ctl
