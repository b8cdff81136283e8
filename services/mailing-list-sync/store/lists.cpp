#include "mailing-list-sync/store/lists.hpp"

namespace relais::mailing_list_sync {

list_ids known_lists(pg::transaction& tx) {
    list_ids out;
    for (const auto row : tx.exec("select name, remote_id from provider_list")) {
        out.emplace(row.text(0), row.integer(1));
    }
    return out;
}

void save_lists(pg::transaction& tx, const list_ids& lists) {
    for (const auto& [name, remote_id] : lists) {
        tx.exec("insert into provider_list (name, remote_id) values ($1, $2)"
                " on conflict (name) do update set remote_id = excluded.remote_id",
                {name, remote_id});
    }
}

} // namespace relais::mailing_list_sync
