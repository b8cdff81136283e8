// The relay with the rights that a service has, not with a superuser's.
#include "functional/outbox_rig.hpp"
#include "postgres/connection_string.hpp"
#include "postgres/migrate.hpp"
#include "support/environment.hpp"

using namespace relais;
using test::outbox_rig;

namespace {

/// A database as deploy/postgres makes it: one role owns it, another one is the service.
class owned_database {
public:
    explicit owned_database(const test::database& beside)
        : name_(beside.name() + "_o"), server_(test::with_database(beside.url(), "postgres")) {
        admin("create role \"" + owner() + "\" login password 'owner'");
        admin("create role \"" + service() + "\" login replication password 'service'");
        admin("create database \"" + name_ + "\" owner \"" + owner() + "\"");
        test::query(test::with_database(server_, name_),
                    "alter schema public owner to \"" + owner() +
                        "\";"
                        "revoke all on schema public from public;"
                        "grant usage on schema public to \"" +
                        service() +
                        "\";"
                        "alter default privileges for role \"" +
                        owner() +
                        "\" in schema public"
                        "  grant select, insert, update, delete on tables to \"" +
                        service() +
                        "\";"
                        "alter default privileges for role \"" +
                        owner() +
                        "\" in schema public"
                        "  grant usage, select on sequences to \"" +
                        service() +
                        "\";"
                        "alter default privileges for role \"" +
                        owner() +
                        "\" in schema public"
                        "  grant execute on functions to \"" +
                        service() + "\"");
    }

    ~owned_database() {
        try {
            test::query(server_, "select pg_drop_replication_slot(slot_name)"
                                 " from pg_replication_slots where database = '" +
                                     name_ + "'");
            admin("drop database \"" + name_ + "\" with (force)");
            admin("drop role \"" + service() + "\"");
            admin("drop role \"" + owner() + "\"");
        } catch (const std::exception& failed) {
            fmt::print(stderr, "could not drop {}: {}\n", name_, failed.what());
        }
    }

    owned_database(const owned_database&) = delete;
    owned_database& operator=(const owned_database&) = delete;

    std::string url_of(const std::string& role, const std::string& password) const {
        auto keywords = pg::parse_connection_string(server_).value();
        keywords["dbname"] = name_;
        keywords["user"] = role;
        keywords["password"] = password;
        return pg::to_connection_string(keywords);
    }

    std::string owner() const {
        return name_ + "_owner";
    }

    std::string service() const {
        return name_ + "_service";
    }

private:
    void admin(const std::string& sql) const {
        test::query(server_, sql);
    }

    std::string name_;
    std::string server_;
};

} // namespace

TEST_CASE("a service's own rights are enough, and not more", "[outbox][roles]") {
    outbox_rig on;
    const owned_database database(on.database);
    const std::filesystem::path libs = std::filesystem::path(test::source_dir()) / "libs";
    const auto migrated = pg::migrate(database.url_of(database.owner(), "owner"),
                                      {{"postgres", libs / "postgres/migrations"},
                                       {"outbox", libs / "outbox/migrations"},
                                       {"timers", libs / "timers/migrations"}},
                                      [](const auto&) {});
    INFO((migrated ? "" : migrated.error().detail));
    REQUIRE(migrated);

    const auto url = database.url_of(database.service(), "service");
    test::relay_instance relay(url, on.topics.prefix(), on.loop, test::kafka_topics::brokers());
    relay.start();
    test::query(url, "insert into outbox_event (id, topic, key, headers, value) values"
                     " (gen_random_uuid(), '" +
                         test::job_topic + "', 'k', '{}', 'x')");
    on.wait_until([&] { return relay.published() >= 1; });
    on.wait_until([&] {
        return test::query(url, "select published is not null from outbox_progress")[0][0] == "t";
    });
    on.stop(relay);
    CHECK(on.read_all().size() == 1);
    CHECK(test::query(url, "select made from outbox_maintain(15, 8)")[0][0] == "1");
    CHECK_THROWS(test::query(url, "create table x (y int)"));
    CHECK_THROWS(test::query(url, "drop table timer"));
    CHECK_THROWS(test::query(url, "delete from outbox_event"));
}
