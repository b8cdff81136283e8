#pragma once

#include "postgres/transaction.hpp"

#include <string>
#include <vector>

namespace relais::mailing_list_sync {

/// One event of the provider, raw.
struct webhook_event {
    std::string digest; ///< hex SHA-256 of the body
    std::string provider;
    std::string body;
    std::string traceparent;
};

/// False for a repeat.
bool keep_webhook(pg::transaction& tx, const webhook_event& event);

/// The oldest that are not done; locked until the transaction ends, skipping others' locks.
std::vector<webhook_event> open_webhooks(pg::transaction& tx, int at_most);
void finish_webhook(pg::transaction& tx, const std::string& digest, std::string_view outcome,
                    timestamp now);

} // namespace relais::mailing_list_sync
