#include "web-api/store/publish.hpp"

#include "outbox/outbox.hpp"

namespace relais::web_api {

void publish(pg::transaction& tx, const google::protobuf::Message& message, const origin& from,
             publish_options options) {
    auto event = events::make_event(message, service_name, from.cause, from.now);
    event.needs = std::move(options.needs);
    event.expires_at = options.expires_at;
    outbox::append(tx, event);
}

events::snapshot_need needs_contact(account_id account, std::uint64_t version) {
    return {"contact", account.text(), version};
}

events::snapshot_need needs_job(job_id job, std::uint64_t version) {
    return {"job", job.text(), version};
}

} // namespace relais::web_api
