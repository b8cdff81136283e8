#pragma once

#include "mailing-list-sync/domain/webhook.hpp"

namespace relais::mailing_list_sync {

/// Splits what Brevo posts (one object, or an array when batched) into the objects' own texts.
/// Error: `invalid` / "malformed-json".
result<std::vector<std::string>> split_webhook(std::string_view body);

/// Reads one object. Names differ between Brevo's pages ("unsubscribe"/"unsubscribed",
/// "spam"/"complaint"), all are taken; an unknown event is no error. The time is `ts_event`, the
/// only field in a known zone; without it `received`. Error: `invalid` when there is no event name.
result<provider_event> read_webhook(std::string_view object, timestamp received);

} // namespace relais::mailing_list_sync
