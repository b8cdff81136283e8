#include "events/partitioner.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <string>

using namespace relais;

TEST_CASE("murmur2 gives the numbers of Kafka's own tests", "[events]") {
    struct row {
        std::string bytes;
        std::int32_t expected;
    };

    // org.apache.kafka.common.utils.UtilsTest.testMurmur2
    const auto next = GENERATE(
        row{"21", -973932308}, row{"foobar", -790332482},
        row{"a-little-bit-long-string", -985981536}, row{"a-little-bit-longer-string", -1486304829},
        row{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971}, row{"abc", 479470107});
    CHECK(static_cast<std::int32_t>(events::murmur2(next.bytes)) == next.expected);
}

TEST_CASE("a partition is the positive hash modulo the count", "[events]") {
    CHECK(events::partition_of("abc", 12U) == 479470107 % 12);
    CHECK(events::partition_of("21", 7U) == (-973932308 & 0x7fffffff) % 7);
    CHECK(events::partition_of("abc", 1U) == 0);
    CHECK(events::partition_of("abc", "market.job.events.v1") == 479470107 % 12);
    CHECK(events::partition_of("abc", "no.such.topic.v1") == 0);
}
