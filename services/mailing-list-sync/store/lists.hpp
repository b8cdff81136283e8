#pragma once

#include "postgres/transaction.hpp"

#include <map>
#include <string>

namespace relais::mailing_list_sync {

/// The provider's ids of our lists, by our name ("newsletter nl").
using list_ids = std::map<std::string, std::int64_t, std::less<>>;

list_ids known_lists(pg::transaction& tx);
void save_lists(pg::transaction& tx, const list_ids& lists);

} // namespace relais::mailing_list_sync
