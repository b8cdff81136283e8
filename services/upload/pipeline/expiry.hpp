#pragma once

#include "timers/runner.hpp"
#include "upload/domain/upload.hpp"

#include <functional>

namespace relais::upload {

inline constexpr const char* expiry_timer_kind = "upload-expiry";

/// The timer that looks once more whether an upload came: a while after its grant ran out, because
/// one that began in time may end later. Cancelled when the upload is seen before.
timers::timer expiry_timer(const upload_record& value);
std::string expiry_timer_id(upload_id id);

/// Its handler: asks the pipeline to look. The store decides between "uploaded" (whose event got
/// lost) and "expired".
timers::runner::handler on_expiry(std::function<void()> wake_pipeline);

} // namespace relais::upload
