#pragma once

#include <optional>
#include <string_view>

namespace relais::upload {

/// The life of an upload. Each arrow is one guarded UPDATE, so a replay changes nothing:
///   granted → uploaded → verifying → ready | rejected
///   granted → expired
enum class upload_state {
    granted,   ///< may be sent to the store until it expires
    uploaded,  ///< the store has it (its HEAD said so)
    verifying, ///< being read, checked and turned into variants
    ready,     ///< variants may be shown
    rejected,  ///< never will be; the reason says why
    expired,   ///< nothing came in time
};

/// The table of arrows.
bool may_follow(upload_state from, upload_state to);

/// Nothing follows any more; what is left in staging can go.
bool is_final(upload_state state);

std::string_view to_string(upload_state state);
std::optional<upload_state> parse_upload_state(std::string_view word);

} // namespace relais::upload
