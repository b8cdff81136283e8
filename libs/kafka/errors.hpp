#pragma once

#include "result/result.hpp"

#include <string_view>

namespace relais::kafka {

/// The one place where librdkafka's error codes (rd_kafka_resp_err_t, as int) become ours: too
/// large → `invalid` / "record-too-large", full queue → `unavailable` / "producer-queue-full",
/// fatal → `internal` / "producer-fatal", timeouts → `timeout` / "kafka-timeout", missing rights →
/// `forbidden` / "kafka-denied", unknown topic and all that passes with time → `unavailable` /
/// "kafka-…".
error classify(int code, std::string_view detail);

} // namespace relais::kafka
