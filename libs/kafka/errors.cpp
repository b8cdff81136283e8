#include "kafka/errors.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

namespace relais::kafka {

error classify(int code, std::string_view detail) {
    const auto native = static_cast<rd_kafka_resp_err_t>(code);
    const auto make = [&](error_kind kind, std::string slug) {
        return error{
            kind, std::move(slug),
            fmt::format("{}{}{}", rd_kafka_err2name(native), detail.empty() ? "" : ": ", detail),
            "", std::nullopt};
    };
    switch (native) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return make(error_kind::invalid, "record-too-large");
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return make(error_kind::invalid, "record-invalid");
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return make(error_kind::unavailable, "producer-queue-full");
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return make(error_kind::internal, "producer-fatal");
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
        return make(error_kind::timeout, "kafka-timeout");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
        return make(error_kind::forbidden, "kafka-denied");
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        return make(error_kind::conflict, "consumer-instance-fenced");
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return make(error_kind::unavailable, "kafka-unknown-topic");
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
        return make(error_kind::unavailable, "producer-closed");
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return make(error_kind::internal, "kafka-misuse");
    default:
        return make(error_kind::unavailable, "kafka-unavailable");
    }
}

} // namespace relais::kafka
