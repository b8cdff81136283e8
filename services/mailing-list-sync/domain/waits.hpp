#pragma once

#include <chrono>

namespace relais::mailing_list_sync {

/// What waits is asked again at least this often, whatever a provider asks for: then it is told
/// again.
inline constexpr std::chrono::minutes longest_wait{15};

/// A row that seems to wait longer was written before the wall clock was set back, and is due.
inline constexpr std::chrono::minutes believed_wait{30};

} // namespace relais::mailing_list_sync
