#include "ids/uuid.hpp"
#include "postgres/migration_files.hpp"

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <fstream>

using namespace relais;

namespace {

/// A folder of files that is removed at the end.
class folder {
public:
    folder() : path_(std::filesystem::temp_directory_path() / make_uuid_v7().text()) {
        std::filesystem::create_directories(path_);
    }

    ~folder() {
        std::filesystem::remove_all(path_);
    }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
    }

    pg::migration_component component() const {
        return {"part", path_};
    }

private:
    std::filesystem::path path_;
};

} // namespace

TEST_CASE("migration files come in the order of their numbers", "[postgres][migrate]") {
    const folder files;
    files.write("0002_second.sql", "b");
    files.write("0001_first_of_all.sql", "a");
    const auto read = pg::read_migration_files({files.component()});
    REQUIRE(read);
    REQUIRE(read->size() == 2);
    CHECK(read->at(0).name == "first_of_all");
    CHECK(read->at(0).number == 1);
    CHECK(read->at(0).checksum ==
          "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    CHECK(read->at(1).text == "b");
}

TEST_CASE("gaps, doubles and strange names are refused", "[postgres][migrate]") {
    for (const std::vector<std::string>& names : {std::vector<std::string>{"0002_a.sql"},
                                                  {"0001_a.sql", "0001_b.sql"},
                                                  {"1_a.sql"},
                                                  {"0001-a.sql"},
                                                  {"README.md"},
                                                  {"000x_a.sql"},
                                                  {"0001_.sql"}}) {
        const folder files;
        for (const auto& name : names) {
            files.write(name, "");
        }
        const auto read = pg::read_migration_files({files.component()});
        REQUIRE_FALSE(read);
        CHECK(read.error().slug == "migration-files");
    }
    CHECK_FALSE(pg::read_migration_files({{"part", "/nonexistent"}}));
}

TEST_CASE("only new files are pending; edited or lost ones are refused", "[postgres][migrate]") {
    const std::vector<pg::migration_file> files{{"a", 1, "x", "", "c1"}, {"a", 2, "y", "", "c2"}};
    const auto pending = pg::pending_migrations(files, {{"a", 1, "x", "c1"}, {"z", 9, "o", "-"}});
    REQUIRE(pending);
    REQUIRE(pending->size() == 1);
    CHECK(pending->front().number == 2);

    const auto edited = pg::pending_migrations(files, {{"a", 1, "x", "other"}});
    REQUIRE_FALSE(edited);
    CHECK(edited.error().slug == "migration-changed");
    const auto gone = pg::pending_migrations(files, {{"a", 3, "z", "c3"}});
    REQUIRE_FALSE(gone);
    CHECK(gone.error().slug == "migration-changed");
}
