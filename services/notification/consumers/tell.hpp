#pragma once

#include "inbox/consumer.hpp"
#include "notification/consumers/consumers.hpp"
#include "notification/domain/kinds.hpp"

#include <optional>

namespace relais::notification {

/// One notification of one person over all channels of its kind: the language is fixed here.
/// `until` replaces the kind's own time after which it is not worth sending. Wakes the senders
/// after COMMIT. A kind that does not exist is a bug (assert).
result<void> tell(pg::transaction& tx, std::string_view kind_name, const std::string& who,
                  const facts& known, const inbox::context& about, const consumer_tools& tools,
                  std::optional<timestamp> until = std::nullopt);

} // namespace relais::notification
