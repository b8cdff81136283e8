#include "postgres/migrate.hpp"
#include "support/database.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <fstream>
#include <thread>

using namespace relais;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

struct fixture {
    test::database database;
    std::filesystem::path folder = std::filesystem::temp_directory_path() / make_uuid_v7().text();

    fixture() {
        std::filesystem::create_directories(folder);
    }

    ~fixture() {
        std::filesystem::remove_all(folder);
    }

    fixture(const fixture&) = delete;
    fixture& operator=(const fixture&) = delete;

    void write(const std::string& name, const std::string& sql) const {
        std::ofstream(folder / name) << sql;
    }

    auto migrate() const {
        return pg::migrate(database.url(), {{"part", folder}}, [](const auto&) {});
    }
};

} // namespace

TEST_CASE("new files are applied once, in order", "[postgres][migrate]") {
    const fixture on;
    on.write("0001_table.sql", "create table a (x int); insert into a values (1);");
    on.write("0002_column.sql", "alter table a add y int;\nupdate a set y = x;");
    const auto first = on.migrate();
    REQUIRE(first);
    REQUIRE(first->size() == 2);
    CHECK(first->at(1).name == "column");
    CHECK(on.database.value("select y from a") == "1");
    CHECK(on.migrate()->empty());
    on.write("0003_more.sql", "insert into a values (2, 2);");
    CHECK(on.migrate()->size() == 1);
    CHECK(on.database.value("select count(*) from schema_migration where component = 'part'") ==
          "3");
}

TEST_CASE("an edited file is refused before anything changes", "[postgres][migrate]") {
    const fixture on;
    on.write("0001_table.sql", "create table a (x int);");
    REQUIRE(on.migrate());
    on.write("0001_table.sql", "create table a (x bigint);");
    on.write("0002_more.sql", "create table b (x int);");
    const auto refused = on.migrate();
    CHECK(refused.error().kind == error_kind::conflict);
    CHECK(refused.error().slug == "migration-changed");
    CHECK_THAT(refused.error().detail, ContainsSubstring("part/0001_table"));
    CHECK(on.database.value("select to_regclass('b') is null") == "t");
}

TEST_CASE("a file that fails leaves nothing of itself, and names itself", "[postgres][migrate]") {
    const fixture on;
    on.write("0001_good.sql", "create table a (x int);");
    on.write("0002_bad.sql", "create table b (x int); select no_such_function();");
    const auto failed = on.migrate();
    CHECK(failed.error().slug == "migration-failed");
    CHECK_THAT(failed.error().detail,
               ContainsSubstring("part/0002_bad.sql") && ContainsSubstring("no_such_function"));
    CHECK(on.database.value("select to_regclass('b') is null") == "t");
    CHECK(on.database.value("select to_regclass('a') is not null") == "t");
    on.write("0002_bad.sql", "create table b (x int);");
    CHECK(on.migrate()->size() == 1);
}

TEST_CASE("two migrations at once: one works, the other waits and finds it done",
          "[postgres][migrate]") {
    const fixture on;
    on.write("0001_slow.sql", "create table a (x int); select pg_sleep(0.5);");
    std::vector<std::size_t> applied(2);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 2; ++i) {
        threads.emplace_back([&, i] { applied[i] = on.migrate().value().size(); });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(applied[0] + applied[1] == 1);
}

TEST_CASE("a server that is not there is unavailable", "[postgres][migrate]") {
    const auto failed = pg::migrate("postgresql://nobody@127.0.0.1:1/none", {}, [](const auto&) {});
    CHECK(failed.error().slug == "database-down");
    CHECK(pg::migrate("postgresql://%zz", {}, [](const auto&) {}).error().slug == "database-url");
}
