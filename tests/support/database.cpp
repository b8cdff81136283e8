#include "support/database.hpp"

#include "ids/encoding.hpp"
#include "postgres/connection_string.hpp"
#include "postgres/migrate.hpp"
#include "postgres/migration_files.hpp"
#include "support/environment.hpp"

#include <fmt/format.h>

#include <libpq-fe.h>
#include <stdexcept>

namespace relais::test {
namespace {

std::vector<pg::migration_component> components(const std::vector<std::string>& services) {
    const std::filesystem::path root = source_dir();
    std::vector<pg::migration_component> found;
    const auto add = [&](const std::string& name, const std::filesystem::path& folder) {
        if (std::filesystem::exists(folder)) {
            found.push_back({name, folder});
        }
    };
    for (const std::string name : {"postgres", "outbox", "timers", "inbox"}) {
        add(name, root / "libs" / name / "migrations");
    }
    for (const auto& name : services) {
        add(name, root / "services" / name / "migrations");
    }
    return found;
}

std::string fingerprint(const std::vector<pg::migration_component>& of) {
    const auto files = pg::read_migration_files(of);
    if (!files) {
        throw std::runtime_error(files.error().detail);
    }
    std::string all;
    for (const auto& file : *files) {
        all += fmt::format("{}/{}/{};", file.component, file.number, file.checksum);
    }
    return to_hex(sha256(as_bytes(all))).substr(0, 16);
}

bool exists(const std::string& server, const std::string& name) {
    return !test::query(server, "select 1 from pg_database where datname = '" + name + "'").empty();
}

/// Other processes may make the same template: the first rename wins.
void make_template(const std::string& server, const std::string& name,
                   const std::vector<pg::migration_component>& of) {
    const auto draft = name + "_" + make_uuid_v7().text().substr(24);
    test::query(server, "create database \"" + draft + "\"");
    const auto applied = pg::migrate(with_database(server, draft), of, [](const auto&) {});
    if (!applied) {
        throw std::runtime_error(applied.error().detail);
    }
    try {
        test::query(server, fmt::format("alter database \"{}\" rename to \"{}\"", draft, name));
    } catch (const std::runtime_error&) {
        test::query(server, "drop database \"" + draft + "\" with (force)");
    }
}

} // namespace

std::vector<std::vector<std::string>> query(const std::string& url, const std::string& sql) {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> link(PQconnectdb(url.c_str()), PQfinish);
    if (PQstatus(link.get()) != CONNECTION_OK) {
        throw std::runtime_error(PQerrorMessage(link.get()));
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(PQexec(link.get(), sql.c_str()),
                                                                PQclear);
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        throw std::runtime_error(sql + ": " + PQerrorMessage(link.get()));
    }
    std::vector<std::vector<std::string>> rows;
    for (int r = 0; r < PQntuples(answer.get()); ++r) {
        auto& row = rows.emplace_back();
        for (int c = 0; c < PQnfields(answer.get()); ++c) {
            row.emplace_back(PQgetisnull(answer.get(), r, c) != 0 ? "<null>"
                                                                  : PQgetvalue(answer.get(), r, c));
        }
    }
    return rows;
}

std::string with_database(const std::string& url, const std::string& name) {
    auto keywords = pg::parse_connection_string(url);
    if (!keywords) {
        throw std::runtime_error(keywords.error().detail);
    }
    (*keywords)["dbname"] = name;
    return pg::to_connection_string(*keywords);
}

database::database(const std::vector<std::string>& services)
    : name_("relais_test_" + make_uuid_v7().text().substr(19)) {
    const auto server = with_database(variable("RELAIS_TEST_POSTGRES"), "postgres");
    const auto parts = components(services);
    const auto origin = "relais_template_" + fingerprint(parts);
    if (!exists(server, origin)) {
        make_template(server, origin, parts);
    }
    test::query(server, fmt::format("create database \"{}\" template \"{}\"", name_, origin));
    url_ = with_database(server, name_);
}

database::~database() {
    try {
        const auto server = with_database(variable("RELAIS_TEST_POSTGRES"), "postgres");
        // A walsender lets go of its slot a moment after it was told to.
        for (int tries = 0; tries < 50; ++tries) {
            const auto slots =
                test::query(server, "select slot_name, pg_terminate_backend(active_pid)"
                                    " from pg_replication_slots where database = '" +
                                        name_ + "'");
            if (slots.empty()) {
                break;
            }
            test::query(server, "select pg_sleep(0.02), pg_drop_replication_slot(slot_name)"
                                " from pg_replication_slots where not active and database = '" +
                                    name_ + "'");
        }
        test::query(server, "drop database \"" + name_ + "\" with (force)");
    } catch (const std::exception& failed) {
        fmt::print(stderr, "could not drop {}: {}\n", name_, failed.what());
    }
}

pg::pool_settings database::pool_settings(std::size_t connections) const {
    return {.url = url_, .application_name = "relais-test", .connections = connections};
}

std::vector<std::vector<std::string>> database::query(const std::string& sql) const {
    return test::query(url_, sql);
}

std::string database::value(const std::string& sql) const {
    return query(sql).at(0).at(0);
}

} // namespace relais::test
