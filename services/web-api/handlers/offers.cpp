#include "web-api/store/offers.hpp"

#include "http/json_writer.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "web-api/domain/lifecycle.hpp"
#include "web-api/domain/plain_text.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/idempotency.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/handlers/market_views.hpp"
#include "web-api/store/contacts.hpp"
#include "web-api/store/jobs.hpp"

namespace relais::web_api {
namespace {

constexpr std::size_t open_offers_max = 10; ///< of one provider on one job

parsed<store::offer> parse_offer(const http::request& request, job_id job, timestamp now) {
    const http::json_reader body(request.body);
    const auto [amount_minor, currency] = read_money(body);
    const auto message = body.text("message", message_limits);
    field_checks checks(body.finish());
    const auto price = checks.take("", money::make(amount_minor, currency));
    const auto text = checks.take("/message", several_lines(message, message_limits.max));
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return store::offer{.id = offer_id::make(),
                        .job = job,
                        .provider = request.caller->account,
                        .state = std::string(transition_of("offer", "make").to),
                        .price = *price,
                        .message = *text,
                        .made_at = now};
}

/// Whether this provider may offer this on the job, as it is now and stays for the transaction.
result<store::job> check_offer(pg::transaction& tx, const store::offer& offer) {
    auto job = store::hold_job(tx, offer.job);
    if (!job) {
        return fail(error_kind::not_found, "not-found", "there is no such job");
    }
    if (job->requester == offer.provider) {
        return fail(error_kind::forbidden, "own-job", "the job is your own");
    }
    // Offers are made on jobs that can still be assigned.
    if (const auto open = check_transition(transition_of("job", "assign"), job->state); !open) {
        return fail(open);
    }
    if (offer.price.currency() != job->budget.currency()) {
        return fail(error_kind::invalid, "currency-mismatch", "the job is in another currency",
                    "/currency");
    }
    if (store::open_offers_of(tx, offer.job, offer.provider) >= open_offers_max) {
        return fail(error_kind::conflict, "too-many-offers",
                    "you have ten undecided offers on this job");
    }
    return std::move(*job);
}

result<http::response> make_in(pg::transaction& tx, const store::offer& offer, const origin& from) {
    const auto job = check_offer(tx, offer);
    if (!job) {
        return fail(job);
    }
    store::insert_offer(tx, offer);
    market::v1::OfferMade made;
    made.set_job_id(offer.job.text());
    made.set_offer_id(offer.id.text());
    made.set_provider_id(offer.provider.text());
    made.set_requester_id(job->requester.text());
    *made.mutable_price() = to_protobuf(offer.price);
    const auto contact = store::contact_version(tx, job->requester).value_or(1);
    publish(tx, made, from,
            {.needs = {needs_contact(job->requester, contact),
                       needs_job(job->id, job->snapshot_version)}});
    http::json_writer json;
    write_offer(json, offer);
    return http::response::json(201, json.take());
}

struct acceptance {
    store::offer offer;
    store::job job;
    std::vector<offer_id> superseded;
};

error state_conflict(const transition& wanted, std::string_view current) {
    const auto checked = check_transition(wanted, current);
    return checked ? error{error_kind::conflict, "state-conflict", "it changed just now", "", {}}
                   : checked.error();
}

/// The job first, then its offers: everybody locks in this order. The conditional updates decide;
/// what is read before them only finds the rows and their owner, which never change.
result<acceptance> decide(pg::transaction& tx, offer_id id, account_id caller, timestamp now) {
    auto offer = store::find_offer(tx, id);
    if (!offer) {
        return fail(error_kind::not_found, "not-found", "there is no such offer");
    }
    auto job = store::find_job(tx, offer->job);
    if (!job || job->requester != caller) {
        return fail(error_kind::forbidden, "not-yours", "only the owner of the job can accept");
    }
    if (!store::assign_job(tx, job->id, id)) {
        const auto now_is = store::find_job(tx, job->id);
        return std::unexpected(state_conflict(transition_of("job", "assign"), now_is->state));
    }
    if (!store::accept_offer(tx, id, now)) {
        const auto now_is = store::find_offer(tx, id);
        return std::unexpected(state_conflict(transition_of("offer", "accept"), now_is->state));
    }
    offer->state = transition_of("offer", "accept").to;
    job->state = transition_of("job", "assign").to;
    auto superseded = store::supersede_offers(tx, job->id, id, now);
    return acceptance{std::move(*offer), std::move(*job), std::move(superseded)};
}

http::response render(const acceptance& accepted) {
    http::json_writer json;
    json.begin_object()
        .member("id", accepted.offer.id)
        .member("job_id", accepted.job.id)
        .member("provider_id", accepted.offer.provider)
        .member("state", accepted.offer.state)
        .member("job_state", accepted.job.state)
        .begin_array("superseded_offer_ids");
    for (const auto& id : accepted.superseded) {
        json.element(id.text());
    }
    json.end_array().end_object();
    return http::response::json(200, json.take());
}

result<http::response> accept_in(pg::transaction& tx, offer_id id, account_id caller,
                                 const origin& from) {
    const auto decided = decide(tx, id, caller, from.now);
    if (!decided) {
        return fail(decided);
    }
    const auto& [offer, job, superseded] = *decided;
    market::v1::OfferAccepted accepted;
    accepted.set_job_id(job.id.text());
    accepted.set_offer_id(offer.id.text());
    accepted.set_provider_id(offer.provider.text());
    accepted.set_requester_id(job.requester.text());
    for (const auto& other : superseded) {
        accepted.add_superseded_offer_ids(other.text());
    }
    *accepted.mutable_price() = to_protobuf(offer.price);
    const auto contact = store::contact_version(tx, offer.provider).value_or(1);
    publish(tx, accepted, from,
            {.needs = {needs_contact(offer.provider, contact),
                       needs_job(job.id, job.snapshot_version)}});
    return render(*decided);
}

} // namespace

answer make_offer(dependencies& with, const http::request& request) {
    const auto job = path_id<job_id>(request);
    if (!job) {
        co_return fail(job);
    }
    const origin from{request.cause(), with.time.now()};
    const auto offer = parse_offer(request, *job, from.now);
    if (!offer) {
        co_return http::problem(offer.error(), &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    auto work = [&](pg::transaction& tx) {
        return once(tx, *key, from.now, [&] { return make_in(tx, *offer, from); });
    };
    auto done = co_await with.database.transact("make_offer", work, request.deadline);
    co_return done;
}

answer list_offers(dependencies& with, const http::request& request) {
    const auto job = path_id<job_id>(request);
    if (!job) {
        co_return fail(job);
    }
    const std::string scope = "offers\n" + job->text();
    const auto known = check_query(request, {"limit", "cursor"});
    const auto page = read_page(request, with.cursors, scope);
    if (!known || !page) {
        co_return std::unexpected(known ? page.error() : known.error());
    }
    auto list = [&, caller = request.caller->account](
                    pg::transaction& tx) -> result<std::vector<store::offer>> {
        const auto found = store::find_job(tx, *job);
        if (!found) {
            return fail(error_kind::not_found, "not-found", "there is no such job");
        }
        if (found->requester != caller) {
            return fail(error_kind::forbidden, "not-yours", "only the owner sees the offers");
        }
        return store::list_offers(tx, *job, page->after, page->limit + 1);
    };
    auto offers = co_await with.database.transact("list_offers", list, request.deadline);
    if (!offers) {
        co_return fail(offers);
    }
    co_return render_page(std::move(*offers), page->limit, [&](const store::offer& last) {
        return with.cursors.encode({last.made_at, last.id.value()}, scope);
    });
}

answer accept_offer(dependencies& with, const http::request& request) {
    const auto offer = path_id<offer_id>(request);
    if (!offer) {
        co_return fail(offer);
    }
    if (const auto problems = refuse_members(request); !problems.empty()) {
        co_return http::problem(problems, &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    const origin from{request.cause(), with.time.now()};
    auto work = [&, caller = request.caller->account](pg::transaction& tx) {
        return once(tx, *key, from.now, [&] { return accept_in(tx, *offer, caller, from); });
    };
    auto done = co_await with.database.transact("accept_offer", work, request.deadline);
    co_return done;
}

} // namespace relais::web_api
