#include "kafka/errors.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <librdkafka/rdkafka.h>

using namespace relais;

TEST_CASE("librdkafka's errors become ours", "[kafka]") {
    struct expectation {
        rd_kafka_resp_err_t code;
        error_kind kind;
        const char* slug;
    };

    const auto expected = GENERATE(
        expectation{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, error_kind::invalid, "record-too-large"},
        expectation{RD_KAFKA_RESP_ERR__QUEUE_FULL, error_kind::unavailable, "producer-queue-full"},
        expectation{RD_KAFKA_RESP_ERR__FATAL, error_kind::internal, "producer-fatal"},
        expectation{RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, error_kind::internal, "producer-fatal"},
        expectation{RD_KAFKA_RESP_ERR__TIMED_OUT, error_kind::timeout, "kafka-timeout"},
        expectation{RD_KAFKA_RESP_ERR__AUTHENTICATION, error_kind::forbidden, "kafka-denied"},
        expectation{RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, error_kind::conflict,
                    "consumer-instance-fenced"},
        expectation{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, error_kind::unavailable,
                    "kafka-unknown-topic"},
        expectation{RD_KAFKA_RESP_ERR__PURGE_QUEUE, error_kind::unavailable, "producer-closed"},
        expectation{RD_KAFKA_RESP_ERR__TRANSPORT, error_kind::unavailable, "kafka-unavailable"},
        expectation{RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, error_kind::unavailable,
                    "kafka-unavailable"});
    const auto reason = kafka::classify(expected.code, "more");
    CHECK(reason.kind == expected.kind);
    CHECK(reason.slug == expected.slug);
    CHECK(reason.detail.find("more") != std::string::npos);
}
