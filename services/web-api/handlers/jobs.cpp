#include "web-api/store/jobs.hpp"

#include "http/json_writer.hpp"
#include "relais/market/v1/job_events.pb.h"
#include "relais/market/v1/job_snapshots.pb.h"
#include "web-api/domain/lifecycle.hpp"
#include "web-api/domain/plain_text.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/idempotency.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/handlers/market_views.hpp"
#include "web-api/store/publish.hpp"

namespace relais::web_api {
namespace {

parsed<store::job> parse_job(const http::request& request, timestamp now) {
    const http::json_reader body(request.body);
    const auto category = body.text("category", category_limits);
    const auto locality = body.text("locality", locality_limits);
    const auto title = body.text("title", title_limits);
    const auto description = body.text("description", description_limits);
    const auto [amount_minor, currency] = read_money(body.object("budget"));
    field_checks checks(body.finish());
    const auto kind = checks.take("/category", single_line(category, category_limits.max));
    const auto place = checks.take("/locality", single_line(locality, locality_limits.max));
    const auto headline = checks.take("/title", single_line(title, title_limits.max));
    const auto text =
        checks.take("/description", several_lines(description, description_limits.max));
    const auto budget = checks.take("/budget", money::make(amount_minor, currency));
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return store::job{.id = job_id::make(),
                      .requester = request.caller->account,
                      .state = std::string(transition_of("job", "publish").to),
                      .category = *kind,
                      .locality = *place,
                      .title = *headline,
                      .description = *text,
                      .budget = *budget,
                      .published_at = now};
}

void publish_in(pg::transaction& tx, const store::job& job, const origin& from) {
    store::insert_job(tx, job);
    market::v1::JobSnapshot snapshot;
    snapshot.set_job_id(job.id.text());
    snapshot.set_version(job.snapshot_version);
    snapshot.set_title(job.title);
    snapshot.set_requester_id(job.requester.text());
    snapshot.set_category(job.category);
    snapshot.set_locality(job.locality);
    publish(tx, snapshot, from);
    market::v1::JobPublished published;
    published.set_job_id(job.id.text());
    published.set_requester_id(job.requester.text());
    published.set_category(job.category);
    published.set_locality(job.locality);
    *published.mutable_budget() = to_protobuf(job.budget);
    publish(tx, published, from, {.needs = {needs_job(job.id, job.snapshot_version)}});
}

http::response created(const store::job& job) {
    http::json_writer json;
    write_job(json, job);
    auto response = http::response::json(201, json.take());
    response.headers.set("Location", "/v1/jobs/" + job.id.text());
    return response;
}

struct job_list_request {
    store::job_filter filter;
    page_request page;
    std::string scope;
};

result<job_list_request> parse_list(const http::request& request, const cursor_codec& cursors) {
    const auto known = check_query(request, {"category", "locality", "limit", "cursor"});
    const auto category = query_text(request, "category", category_limits.max);
    const auto locality = query_text(request, "locality", locality_limits.max);
    if (!known || !category || !locality) {
        return std::unexpected(!known      ? known.error()
                               : !category ? category.error()
                                           : locality.error());
    }
    const std::string scope = "jobs\n" + category->value_or("") + "\n" + locality->value_or("");
    const auto page = read_page(request, cursors, scope);
    if (!page) {
        return fail(page);
    }
    return job_list_request{{*category, *locality}, *page, scope};
}

} // namespace

answer publish_job(dependencies& with, const http::request& request) {
    const origin from{request.cause(), with.time.now()};
    const auto job = parse_job(request, from.now);
    if (!job) {
        co_return http::problem(job.error(), &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    auto work = [&](pg::transaction& tx) {
        return once(tx, *key, from.now, [&]() -> result<http::response> {
            publish_in(tx, *job, from);
            return created(*job);
        });
    };
    auto done = co_await with.database.transact("publish_job", work, request.deadline);
    co_return done;
}

answer get_job(dependencies& with, const http::request& request) {
    const auto id = path_id<job_id>(request);
    if (!id) {
        co_return fail(id);
    }
    auto find = [id = *id](pg::transaction& tx) -> result<store::job> {
        auto found = store::find_job(tx, id);
        if (!found) {
            return fail(error_kind::not_found, "not-found", "there is no such job");
        }
        return std::move(*found);
    };
    const auto found = co_await with.database.read("get_job", find, request.deadline);
    if (!found) {
        co_return fail(found);
    }
    http::json_writer json;
    write_job(json, *found);
    co_return http::response::json(200, json.take());
}

answer list_jobs(dependencies& with, const http::request& request) {
    const auto wanted = parse_list(request, with.cursors);
    if (!wanted) {
        co_return fail(wanted);
    }
    // One more than asked for tells whether there is a next page.
    auto list = [&](pg::transaction& tx) -> result<std::vector<store::job>> {
        return store::list_open_jobs(tx, wanted->filter, wanted->page.after,
                                     wanted->page.limit + 1);
    };
    auto jobs = co_await with.database.read("list_jobs", list, request.deadline);
    if (!jobs) {
        co_return fail(jobs);
    }
    co_return render_page(std::move(*jobs), wanted->page.limit, [&](const store::job& last) {
        return with.cursors.encode({last.published_at, last.id.value()}, wanted->scope);
    });
}

} // namespace relais::web_api
