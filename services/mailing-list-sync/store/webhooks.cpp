#include "mailing-list-sync/store/webhooks.hpp"

namespace relais::mailing_list_sync {

bool keep_webhook(pg::transaction& tx, const webhook_event& event) {
    const auto done = tx.exec("insert into webhook_event (digest, provider, body, traceparent)"
                              " values ($1, $2, $3, $4) on conflict do nothing",
                              {event.digest, event.provider, event.body, event.traceparent});
    return done.affected() > 0;
}

std::vector<webhook_event> open_webhooks(pg::transaction& tx, int at_most) {
    std::vector<webhook_event> out;
    const auto found =
        tx.exec("select digest, provider, body, traceparent from webhook_event"
                " where done_at is null order by received_at limit $1 for update skip locked",
                {at_most});
    for (const auto row : found) {
        out.push_back({row.text(0), row.text(1), row.text(2), row.text(3)});
    }
    return out;
}

void finish_webhook(pg::transaction& tx, const std::string& digest, std::string_view outcome,
                    timestamp now) {
    tx.exec("update webhook_event set done_at = $2, outcome = $3, attempts = attempts + 1"
            " where digest = $1",
            {digest, now, outcome});
}

} // namespace relais::mailing_list_sync
