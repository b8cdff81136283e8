#pragma once

#include "clock/clock.hpp"

#include <google/protobuf/timestamp.pb.h>

namespace relais::web_api {

inline google::protobuf::Timestamp to_protobuf(timestamp time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    google::protobuf::Timestamp out;
    out.set_seconds(seconds.time_since_epoch().count());
    out.set_nanos(static_cast<std::int32_t>((time - seconds).count() * 1000));
    return out;
}

inline timestamp from_protobuf(const google::protobuf::Timestamp& time) {
    return timestamp(std::chrono::seconds(time.seconds()) +
                     std::chrono::microseconds(time.nanos() / 1000));
}

} // namespace relais::web_api
