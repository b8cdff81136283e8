#include "ctl/databases.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace asio = boost::asio;

namespace relais::ctl {

const std::vector<std::string>& services_with_database() {
    static const std::vector<std::string> names{"web-api", "upload", "notification",
                                                "mailing-list-sync"};
    return names;
}

std::string database_of(const std::string& service) {
    std::string out = service;
    std::ranges::replace(out, '-', '_');
    return out;
}

std::string with_database(const std::string& server_url, const std::string& database) {
    const auto question = server_url.find('?');
    auto base = server_url.substr(0, question);
    while (base.ends_with('/')) {
        base.pop_back();
    }
    const auto rest = question == std::string::npos ? "" : server_url.substr(question);
    return fmt::format("{}/{}{}", base, database, rest);
}

result<std::vector<std::string>> chosen_services(const arguments& given) {
    const auto only = given.value("--service");
    if (!only) {
        return services_with_database();
    }
    if (std::ranges::find(services_with_database(), *only) == services_with_database().end()) {
        return fail(error_kind::invalid, "usage", fmt::format("no service {}", *only));
    }
    return std::vector{*only};
}

result<std::string> required_variable(const context& where, std::string_view name) {
    const auto found = where.environment.find(name);
    if (found == where.environment.end() || found->second.empty()) {
        return fail(error_kind::invalid, "configuration", fmt::format("{} is not set", name));
    }
    return found->second;
}

namespace {

pg::pool_settings settings_of(const std::string& server_url, const std::string& service,
                              std::chrono::seconds at_most) {
    pg::pool_settings settings;
    settings.url = with_database(server_url, database_of(service));
    settings.application_name = "relaisctl";
    settings.connections = 1;
    settings.statement_timeout =
        std::max(settings.statement_timeout, std::chrono::milliseconds(at_most) / 2);
    return settings;
}

} // namespace

service_database::service_database(const std::string& server_url, const std::string& service,
                                   std::chrono::seconds at_most)
    : at_most_(at_most), pool_(settings_of(server_url, service, at_most), metrics_, {}) {}

service_database::~service_database() {
    pool_.stop();
}

result<void> service_database::run(const std::function<result<void>(pg::transaction&)>& work) {
    result<void> outcome = fail(error_kind::internal, "not-run");
    const auto until = std::chrono::steady_clock::now() + at_most_;
    asio::co_spawn(loop_, pool_.transact("relaisctl", work, until),
                   [&outcome](const std::exception_ptr& thrown, result<void> done) {
                       if (thrown) {
                           std::rethrow_exception(thrown);
                       }
                       outcome = std::move(done);
                   });
    loop_.restart();
    loop_.run();
    return outcome;
}

result<void> on_database(const context& where, const std::string& service,
                         const std::function<result<void>(pg::transaction&)>& work,
                         std::chrono::seconds at_most) {
    const auto server_url = required_variable(where, "RELAIS_MIGRATE_URL");
    if (!server_url) {
        return fail(server_url);
    }
    return service_database(*server_url, service, at_most).run(work);
}

} // namespace relais::ctl
