#include "web-api/handlers/market_views.hpp"

namespace relais::web_api {

std::pair<std::int64_t, std::string> read_money(const http::json_reader& object) {
    const auto amount_minor = object.integer("amount_minor", 1, amount_minor_max);
    auto currency = object.choice("currency", currency_names());
    return {amount_minor, std::move(currency)};
}

market::v1::Money to_protobuf(const money& value) {
    market::v1::Money out;
    out.set_amount_minor(value.amount_minor());
    out.set_currency(value.currency());
    return out;
}

void write_money(http::json_writer& json, std::string_view name, const money& value) {
    json.begin_object(name)
        .member("amount_minor", value.amount_minor())
        .member("currency", value.currency())
        .end_object();
}

void write_job(http::json_writer& json, const store::job& job) {
    json.begin_object()
        .member("id", job.id)
        .member("requester_id", job.requester)
        .member("state", job.state)
        .member("category", job.category)
        .member("locality", job.locality)
        .member("title", job.title)
        .member("description", job.description);
    write_money(json, "budget", job.budget);
    if (job.accepted_offer) {
        json.member("accepted_offer_id", *job.accepted_offer);
    } else {
        json.null_member("accepted_offer_id");
    }
    json.member("published_at", job.published_at).member("version", job.version).end_object();
}

void write_offer(http::json_writer& json, const store::offer& offer) {
    json.begin_object()
        .member("id", offer.id)
        .member("job_id", offer.job)
        .member("provider_id", offer.provider)
        .member("state", offer.state)
        .member("amount_minor", offer.price.amount_minor())
        .member("currency", offer.price.currency())
        .member("message", offer.message)
        .member("made_at", offer.made_at);
    if (offer.decided_at) {
        json.member("decided_at", *offer.decided_at);
    } else {
        json.null_member("decided_at");
    }
    json.end_object();
}

} // namespace relais::web_api
