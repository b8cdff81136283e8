#include "trace/context.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using relais::trace::context;

TEST_CASE("traceparent is read and written", "[trace]") {
    const std::string text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const auto parsed = context::parse(text);
    REQUIRE(parsed);
    CHECK(parsed->sampled);
    CHECK(parsed->traceparent() == text);
    CHECK(parsed->child().trace_id == parsed->trace_id);
    CHECK(parsed->child().span_id != parsed->span_id);
}

TEST_CASE("a later version is read as far as we know it", "[trace]") {
    CHECK(context::parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"));
}

TEST_CASE("anything else is no traceparent", "[trace]") {
    const auto text = GENERATE(
        values<std::string>({"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
                             "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01extra",
                             "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01"}));
    CAPTURE(text);
    CHECK_FALSE(context::parse(text));
}
