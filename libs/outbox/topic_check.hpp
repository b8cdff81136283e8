#pragma once

#include "events/topics.hpp"
#include "kafka/admin.hpp"
#include "kafka/producer.hpp"

#include <boost/asio/awaitable.hpp>

#include <set>
#include <string>
#include <vector>

namespace relais::outbox {

/// Whether the broker's topics have as many partitions as the topics file says; missing ones are
/// not looked at. Names in `there` begin with the prefix. Pure. Error: `conflict` /
/// "partition-count" with topic, both counts and the way out.
result<void> compare_partitions(const std::vector<events::topic>& wanted,
                                const std::vector<kafka::existing_topic>& there,
                                const std::string& prefix);

/// Asks the broker once. Not cancelled at once: it takes 2 seconds at most. Errors: as above, and
/// what the broker says when it does not answer.
boost::asio::awaitable<result<void>> check_partitions(kafka::producer_settings broker,
                                                      metrics::registry& registry);

/// Those of the topics that the broker does not have. Asks once, as above.
boost::asio::awaitable<result<std::set<std::string>>> missing_of(kafka::producer_settings broker,
                                                                 metrics::registry& registry,
                                                                 std::set<std::string> topics);

} // namespace relais::outbox
