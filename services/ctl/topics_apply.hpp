#pragma once

#include "events/topics.hpp"
#include "kafka/admin.hpp"
#include "result/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace relais::ctl {

struct apply_options {
    std::uint32_t replicas = 1;
    bool only_check = false;
    std::function<void(const std::string& line)> say;
};

/// Makes topics that are missing and mends settings of those that are there; with only_check it
/// only looks. Goes on after a failure, so that one run says everything that is wrong, and returns
/// the first: `conflict` / "partition-count" (never mended), `not_found` / "topic-missing",
/// `conflict` / "topic-settings", or what the broker says.
result<void> apply_topics(kafka::admin& broker, const std::vector<events::topic>& topics,
                          const apply_options& how);

} // namespace relais::ctl
