#include "postgres/transaction.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;

TEST_CASE("every SQLSTATE has its kind and slug", "[postgres]") {
    const auto [state, kind, slug] = GENERATE(table<std::string, error_kind, std::string>({
        {"", error_kind::unavailable, "database-down"},
        {"08006", error_kind::unavailable, "database-down"},
        {"57P01", error_kind::unavailable, "database-down"},
        {"57P03", error_kind::unavailable, "database-down"},
        {"57014", error_kind::timeout, "database-timeout"},
        {"25P03", error_kind::timeout, "database-timeout"},
        {"40003", error_kind::timeout, "commit-in-doubt"},
        {"55P03", error_kind::unavailable, "database-lock-timeout"},
        {"40001", error_kind::unavailable, "serialization"},
        {"40P01", error_kind::unavailable, "deadlock"},
        {"40002", error_kind::unavailable, "serialization"},
        {"53300", error_kind::unavailable, "database-connections"},
        {"53100", error_kind::unavailable, "database-disk-full"},
        {"53200", error_kind::unavailable, "database-resources"},
        {"25006", error_kind::unavailable, "database-read-only"},
        {"23505", error_kind::conflict, "unique-violation"},
        {"23503", error_kind::conflict, "foreign-key-violation"},
        {"23P01", error_kind::conflict, "exclusion-violation"},
        {"23514", error_kind::invalid, "check-violation"},
        {"23502", error_kind::invalid, "not-null-violation"},
        {"22021", error_kind::invalid, "invalid-data"},
        {"22P02", error_kind::invalid, "invalid-data"},
        {"42501", error_kind::internal, "database-permission"},
        {"42P01", error_kind::internal, "database-error"},
        {"P0001", error_kind::internal, "database-error"},
        {"XX000", error_kind::internal, "database-error"},
    }));
    const auto failed = pg::classify(state, "what the server said");
    CHECK(failed.kind == kind);
    CHECK(failed.slug == slug);
    CHECK(failed.detail == "what the server said");
}
