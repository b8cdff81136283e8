#include "postgres/migrate.hpp"

#include "postgres/connection.hpp"
#include "postgres/connection_string.hpp"
#include "postgres/migration_files.hpp"

#include <fmt/format.h>

#include <thread>

namespace relais::pg {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::seconds connect_limit{5};
/// An index on a big table takes its time; a lock must not.
constexpr std::chrono::minutes statement_limit{30};
constexpr int lock_tries = 3;

class migration_session {
public:
    explicit migration_session(const std::string& connection_string)
        : link_(detail::connection::open(connection_string, connect_limit, nullptr)) {}

    rows exec(std::string_view sql, std::initializer_list<parameter> values = {}) {
        return link_->exec(sql, {values.begin(), values.size()}, steady::now() + statement_limit);
    }

    void script(std::string_view sql) {
        link_->script(sql, steady::now() + statement_limit);
    }

    void apply(const migration_file& file) {
        script("begin");
        try {
            script(file.text);
            exec("insert into schema_migration (component, number, name, checksum)"
                 " values ($1, $2, $3, $4)",
                 {file.component, file.number, file.name, file.checksum});
            script("commit");
        } catch (const failure&) {
            if (!link_->broken()) {
                script("rollback");
            }
            throw;
        }
    }

private:
    std::unique_ptr<detail::connection> link_;
};

void prepare_records(migration_session& on) {
    on.script("create table if not exists schema_migration ("
              " component text not null, number int not null, name text not null,"
              " checksum text not null, applied_at timestamptz not null default now(),"
              " primary key (component, number))");
}

std::vector<migration_record> read_records(migration_session& on) {
    std::vector<migration_record> records;
    for (const auto row : on.exec("select component, number, name, checksum"
                                  " from schema_migration order by component, number")) {
        records.push_back(
            {row.text(0), static_cast<int>(row.integer(1)), row.text(2), row.text(3)});
    }
    return records;
}

/// Applies one file; a lock that is not to be had is asked for a few times.
applied_migration apply_with_tries(migration_session& on, const migration_file& file) {
    const auto begun = steady::now();
    for (int attempt = 1;; ++attempt) {
        try {
            on.apply(file);
            break;
        } catch (const failure& failed) {
            if (failed.sqlstate() != "55P03" || attempt == lock_tries) {
                throw;
            }
            std::this_thread::sleep_for(std::chrono::seconds(1)); // let the holder finish
        }
    }
    return {file.component, file.number, file.name,
            std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - begun)};
}

error as_migration_error(const failure& failed, const std::string& file) {
    if (failed.reason().slug == "database-down") {
        return failed.reason();
    }
    return {error_kind::invalid, "migration-failed",
            fmt::format("{}: {} ({})", file, failed.reason().detail, failed.sqlstate()), "",
            std::nullopt};
}

} // namespace

result<std::vector<applied_migration>>
migrate(const std::string& url, const std::vector<migration_component>& components,
        const std::function<void(const applied_migration&)>& on_applied) {
    const auto given = parse_connection_string(url);
    if (!given) {
        return fail(given);
    }
    const auto files = read_migration_files(components);
    if (!files) {
        return fail(files);
    }
    std::vector<applied_migration> done;
    std::string current = "schema_migration";
    try {
        migration_session on(to_connection_string(
            with_session_defaults(*given, "relais-migrate", {{"lock_timeout", "3s"}})));
        // One migration at a time per database; held by this session, so no clean-up is needed.
        on.script("set lock_timeout = '120s'; select pg_advisory_lock(hashtext('relais migrate'));"
                  " set lock_timeout = '3s'");
        prepare_records(on);
        const auto pending = pending_migrations(*files, read_records(on));
        if (!pending) {
            return fail(pending);
        }
        for (const auto& file : *pending) {
            current = fmt::format("{}/{:04}_{}.sql", file.component, file.number, file.name);
            done.push_back(apply_with_tries(on, file));
            on_applied(done.back());
        }
    } catch (const failure& failed) {
        return std::unexpected(as_migration_error(failed, current));
    }
    return done;
}

} // namespace relais::pg
