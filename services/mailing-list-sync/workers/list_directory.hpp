#pragma once

#include "mailing-list-sync/provider/brevo.hpp"
#include "postgres/pool.hpp"

#include <set>
#include <string>
#include <vector>

namespace relais::mailing_list_sync {

/// Knows the provider's ids of our lists: from memory, else from the database, else from the
/// provider, where a missing list is created. Used on the loop's thread.
class list_directory {
public:
    list_directory(pg::pool& database, brevo& provider);

    boost::asio::awaitable<result<std::vector<std::int64_t>>> ids_of(std::set<std::string> names,
                                                                     trace::context where);

    /// The provider said that one of them does not exist: ask it again next time.
    void forget();

private:
    boost::asio::awaitable<result<void>> learn(std::set<std::string> names, trace::context where);
    bool knows(const std::set<std::string>& names) const;

    pg::pool& database_;
    brevo& provider_;
    list_ids known_;
    bool ask_provider_ = false;
};

} // namespace relais::mailing_list_sync
