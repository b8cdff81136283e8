#include "inbox/dead_letter_routes.hpp"

#include "inbox/dead_letter_json.hpp"
#include "inbox/dead_letter_requests.hpp"

namespace relais::inbox {
namespace {

using detail::answer;
using detail::api_parts;

constexpr std::size_t message_max = std::size_t{2} * 1024 * 1024; // 900 KiB, as JSON
constexpr auto redrive_deadline = detail::redrive_time_max + std::chrono::seconds(10);

/// Letters, groups or deeds as an object with one array.
template <class Items>
result<http::response> page(std::string_view name, const result<Items>& items) {
    if (!items) {
        return fail(items);
    }
    http::json_writer json;
    json.begin_object().begin_array(name);
    for (const auto& each : *items) {
        write_json(json, each);
    }
    json.end_array().end_object();
    return http::response::json(200, json.take());
}

answer list(api_parts& with, const http::request& request) {
    const auto filter = detail::filter_from(request);
    if (!filter) {
        co_return fail(filter);
    }
    auto work = [&filter](pg::transaction& tx) -> result<std::vector<dead_letter>> {
        return list_dead_letters(tx, *filter);
    };
    const auto found = co_await with.database.transact("dead_letters_list", std::move(work));
    co_return page("dead_letters", found);
}

answer list_groups(api_parts& with, const http::request& request) {
    const auto filter = detail::filter_from(request);
    if (!filter) {
        co_return fail(filter);
    }
    auto work = [&filter](pg::transaction& tx) -> result<std::vector<dead_letter_group>> {
        return group_dead_letters(tx, *filter);
    };
    const auto found = co_await with.database.transact("dead_letters_groups", std::move(work));
    co_return page("groups", found);
}

answer list_audit(api_parts& with, const http::request& request) {
    const auto filter = detail::filter_from(request);
    const auto letter = detail::word_of(request, "letter");
    if (!filter || !letter) {
        co_return filter ? fail(letter) : fail(filter);
    }
    const auto id = letter->empty() ? result<std::int64_t>(0) : detail::id_from(*letter);
    if (!id) {
        co_return fail(id);
    }
    const auto of = letter->empty() ? std::nullopt : std::optional(*id);
    auto work = [of, &filter](pg::transaction& tx) -> result<std::vector<dead_letter_deed>> {
        return list_deeds(tx, of, filter->limit);
    };
    const auto found = co_await with.database.transact("dead_letters_audit", std::move(work));
    co_return page("deeds", found);
}

answer show(api_parts& with, const http::request& request) {
    const auto id = detail::id_from(request.path_parameter("id"));
    if (!id) {
        co_return fail(id);
    }
    auto work = [id = *id](pg::transaction& tx) -> result<dead_letter> {
        auto found = find_dead_letter(tx, id);
        if (!found) {
            return fail(error_kind::not_found, "no-such-dead-letter", std::to_string(id));
        }
        return *std::move(found);
    };
    const auto found = co_await with.database.transact("dead_letters_show", std::move(work));
    co_return found ? result<http::response>(http::response::json(200, full_json(*found)))
                    : fail(found);
}

struct line {
    const char* method;
    const char* path;
    answer (*handle)(api_parts&, const http::request&);
};

constexpr line table[] = {
    {"GET", "/dead-letters", list},
    {"GET", "/dead-letters/groups", list_groups},
    {"GET", "/dead-letters/audit", list_audit},
    {"GET", "/dead-letters/{id}", show},
    {"POST", "/dead-letters/redrive", detail::redrive_many},
    {"POST", "/dead-letters/{id}/redrive", detail::redrive_one},
    {"POST", "/dead-letters/{id}/edit", detail::edit_one},
    {"POST", "/dead-letters/{id}/discard", detail::discard_one},
};

} // namespace

std::vector<http::route> dead_letter_routes(pg::pool& database, const clock& time,
                                            log::logger logger) {
    // Shared by the routes, which are copied into the listener's router.
    const auto parts = std::make_shared<api_parts>(database, time, std::move(logger));
    std::vector<http::route> routes;
    for (const line& each : table) {
        http::route route;
        route.method = each.method;
        route.path = each.path;
        route.access = http::access::internal;
        route.body_max = message_max;
        route.deadline = redrive_deadline;
        route.handle = [parts, handle = each.handle](const http::request& request) {
            return handle(*parts, request);
        };
        routes.push_back(std::move(route));
    }
    return routes;
}

} // namespace relais::inbox
