#include "postgres/migrate.hpp"

#include "ctl/command.hpp"
#include "ctl/databases.hpp"
#include "host/share.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::ctl {
namespace {

/// What the libraries keep in every service's database comes first.
constexpr std::array library_components{"postgres", "outbox", "timers", "inbox"};

std::vector<pg::migration_component> components_of(const std::string& service) {
    std::vector<pg::migration_component> out;
    out.reserve(library_components.size() + 1);
    for (const auto* name : library_components) {
        out.push_back({name, host::share_path(fmt::format("migrations/{}", name))});
    }
    out.push_back({service, host::share_path(fmt::format("migrations/{}", service))});
    return out;
}

result<void> migrate_one(const std::string& server_url, const std::string& service) {
    int count = 0;
    const auto show = [&](const pg::applied_migration& applied) {
        ++count;
        fmt::print("{}: {} {:04} {} ({} ms)\n", service, applied.component, applied.number,
                   applied.name, applied.took.count());
    };
    const auto done =
        pg::migrate(with_database(server_url, database_of(service)), components_of(service), show);
    if (!done) {
        auto why = done.error();
        why.detail = fmt::format("{}: {}", service, why.detail);
        return std::unexpected(why);
    }
    if (count == 0) {
        fmt::print("{}: nothing to do\n", service);
    }
    return {};
}

result<void> run_migrate(const context& where, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {}, {});
    if (!given) {
        return fail(given);
    }
    const auto server_url = required_variable(where, "RELAIS_MIGRATE_URL");
    if (!server_url) {
        return fail(server_url);
    }
    const auto services = given->rest().empty() ? services_with_database() : given->rest();
    for (const auto& service : services) {
        const auto& known = services_with_database();
        if (std::ranges::find(known, service) == known.end()) {
            return fail(error_kind::invalid, "usage", fmt::format("no service {}", service));
        }
        const auto done = migrate_one(*server_url, service);
        if (!done) {
            return done;
        }
    }
    return {};
}

} // namespace

command migrate_command() {
    return {"migrate", "migrate [SERVICE…]", "bring the databases up to date", run_migrate};
}

} // namespace relais::ctl
