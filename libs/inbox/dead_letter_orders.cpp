#include "async/signal.hpp"
#include "inbox/dead_letter_json.hpp"
#include "inbox/dead_letter_requests.hpp"

#include <functional>

namespace relais::inbox::detail {
namespace {

/// The slug that takes a dry run back. Never an answer.
constexpr const char* not_meant = "dry-run";

using change = std::function<result<void>(pg::transaction&, std::int64_t, const deed&)>;

/// One letter's change in a transaction, which a dry run takes back: so it meets the same errors.
boost::asio::awaitable<result<void>> carry_out(api_parts& with, std::int64_t id, const order& of,
                                               const change& act) {
    auto work = [&, id](pg::transaction& tx) -> result<void> {
        const auto done = act(tx, id, of.doing);
        return done && !of.meant ? fail(error_kind::conflict, not_meant) : done;
    };
    const auto done = co_await with.database.transact("dead_letters_change", std::move(work));
    if (!done && done.error().slug == not_meant) {
        co_return result<void>();
    }
    if (done) {
        with.logger.warn("dead_letter.changed", {{"letter", id}, {"by", of.doing.by}});
    }
    co_return done;
}

answer change_one(api_parts& with, const http::request& request, change act) {
    const auto id = id_from(request.path_parameter("id"));
    const auto of = order_from(request);
    if (!id || !of) {
        co_return id ? fail(of) : fail(id);
    }
    const auto done = co_await carry_out(with, *id, *of, act);
    if (!done) {
        co_return fail(done);
    }
    http::json_writer json;
    json.begin_object().member("id", *id).member("done", of->meant).end_object();
    co_return http::response::json(200, json.take());
}

bool is_chosen(const dead_letter_filter& filter, const std::string& all) {
    return all == "true" || !filter.topic.empty() || !filter.reason.empty() ||
           !filter.fingerprint.empty();
}

struct redriven {
    std::vector<std::int64_t> done;
    std::vector<std::pair<std::int64_t, error>> refused;
};

http::response report(const redriven& outcome, bool meant) {
    http::json_writer json;
    json.begin_object().member("done", meant).begin_array("redriven");
    for (const auto id : outcome.done) {
        json.element(id);
    }
    json.end_array().begin_array("refused");
    for (const auto& [id, why] : outcome.refused) {
        json.begin_object().member("id", id).member("error", why.slug).end_object();
    }
    json.end_array().end_object();
    return http::response::json(200, json.take());
}

} // namespace

answer redrive_one(api_parts& with, const http::request& request) {
    return change_one(
        with, request,
        [now = with.time.now()](pg::transaction& tx, std::int64_t id, const deed& doing) {
            return redrive(tx, id, now, doing);
        });
}

answer edit_one(api_parts& with, const http::request& request) {
    return change_one(with, request,
                      [now = with.time.now(), json = request.body](
                          pg::transaction& tx, std::int64_t id, const deed& doing) {
                          return edit(tx, id, json, now, doing);
                      });
}

answer discard_one(api_parts& with, const http::request& request) {
    return change_one(
        with, request,
        [now = with.time.now()](pg::transaction& tx, std::int64_t id, const deed& doing) {
            return discard(tx, id, now, doing);
        });
}

answer redrive_many(api_parts& with, const http::request& request) {
    const auto filter = filter_from(request);
    const auto of = order_from(request);
    const auto all = word_of(request, "all");
    const auto quarantined = word_of(request, "quarantined");
    const auto rate = rate_from(request);
    if (!filter || !of) {
        co_return filter ? fail(of) : fail(filter);
    }
    if (!rate) {
        co_return fail(rate);
    }
    if (!all || !quarantined || !is_chosen(*filter, *all)) {
        co_return fail(error_kind::invalid, "unknown-value",
                       "all=true, or one of topic, reason, fingerprint");
    }
    auto find = [&](pg::transaction& tx) -> result<std::vector<std::int64_t>> {
        return find_redrivable(tx, *filter, *quarantined == "true");
    };
    const auto ids = co_await with.database.transact("dead_letters_find", std::move(find));
    if (!ids) {
        co_return fail(ids);
    }
    const auto pause = std::chrono::microseconds(1'000'000 / *rate);
    if (of->meant && pause * static_cast<std::int64_t>(ids->size()) > redrive_time_max) {
        co_return fail(error_kind::invalid, "too-slow",
                       std::to_string(ids->size()) +
                           " letters at this rate take longer than a request may:"
                           " a higher rate, a lower limit, or relaisctl");
    }
    redriven outcome;
    auto due = std::chrono::steady_clock::now();
    const change act = [&](pg::transaction& tx, std::int64_t id, const deed& doing) {
        return redrive(tx, id, with.time.now(), doing);
    };
    for (const auto id : *ids) {
        if (of->meant) {
            co_await async::sleep_for(due - std::chrono::steady_clock::now());
            due += pause;
        }
        const auto done = co_await carry_out(with, id, *of, act);
        if (done) {
            outcome.done.push_back(id);
        } else {
            outcome.refused.emplace_back(id, done.error());
        }
    }
    co_return report(outcome, of->meant);
}

} // namespace relais::inbox::detail
