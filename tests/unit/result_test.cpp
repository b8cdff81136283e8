#include "result/result.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace relais;

TEST_CASE("each error kind has a status, a retry decision and a label", "[result]") {
    struct expectation {
        error_kind kind;
        int status;
        bool retriable;
        std::string_view label;
    };

    const auto row = GENERATE(values<expectation>({
        {error_kind::invalid, 422, false, "invalid"},
        {error_kind::unauthenticated, 401, false, "unauthenticated"},
        {error_kind::forbidden, 403, false, "forbidden"},
        {error_kind::not_found, 404, false, "not_found"},
        {error_kind::conflict, 409, false, "conflict"},
        {error_kind::too_large, 413, false, "too_large"},
        {error_kind::rate_limited, 429, true, "rate_limited"},
        {error_kind::unavailable, 503, true, "unavailable"},
        {error_kind::timeout, 504, true, "timeout"},
        {error_kind::internal, 500, true, "internal"},
    }));
    CAPTURE(row.label);
    CHECK(http_status(row.kind) == row.status);
    CHECK(is_retriable(row.kind) == row.retriable);
    CHECK(to_string(row.kind) == row.label);
}

TEST_CASE("fail hands on the reason of another result", "[result]") {
    const result<int> first = fail(error_kind::conflict, "state-conflict", "assigned", "/state");
    const result<std::string> second = fail(first);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error() == first.error());
    CHECK(second.error().pointer == "/state");
}
