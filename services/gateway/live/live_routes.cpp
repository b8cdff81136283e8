#include "gateway/live/live_routes.hpp"

#include "gateway/live/live_files.hpp"
#include "gateway/live/request_story.hpp"

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::size_t viewers_max = 32;
constexpr std::chrono::milliseconds period{1'000};

using answer = asio::awaitable<result<http::response>>;

/// Nothing from elsewhere, nothing inline, never inside another page.
http::response guarded(http::response made) {
    made.headers.set("Content-Security-Policy",
                     "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                     "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    made.headers.set("X-Content-Type-Options", "nosniff");
    made.headers.set("Referrer-Policy", "no-referrer");
    made.headers.set("Cache-Control", "no-store");
    return made;
}

http::route get(std::string path, std::function<answer(const http::request&)> handle) {
    http::route made;
    made.method = "GET";
    made.path = std::move(path);
    made.handle = std::move(handle);
    return made;
}

http::route file(std::string path, std::string_view text, std::string type) {
    return get(std::move(path), [text, type = std::move(type)](const http::request&) -> answer {
        co_return guarded(http::response::text(200, std::string(text), type));
    });
}

/// Shared by the routes, and by the streams that are open.
struct shared_sources {
    live_sources from;
    std::size_t viewers = 0;
};

using sources = std::shared_ptr<shared_sources>;

answer once(sources all) {
    co_await all->from.board.refresh();
    co_return guarded(http::response::json(200, live_json(all->from)));
}

asio::awaitable<std::string> next_view(sources all) {
    co_await async::sleep_for(period);
    co_await all->from.board.refresh();
    co_return "event: view\ndata: " + live_json(all->from) + "\n\n";
}

answer stream(sources all) {
    if (all->viewers >= viewers_max) {
        co_return fail(error_kind::unavailable, "too-many-viewers",
                       "so many pages are open already");
    }
    ++all->viewers;
    const std::shared_ptr<void> leave(nullptr, [all](void*) { --all->viewers; });
    co_await all->from.board.refresh();
    auto made = guarded(http::response::text(
        200, "retry: 2000\n\nevent: view\ndata: " + live_json(all->from) + "\n\n",
        "text/event-stream"));
    made.more = [all, leave] {
        return next_view(all);
    };
    co_return made;
}

answer why(sources all, std::string id) {
    const auto found = all->from.recent.find(id);
    if (!found) {
        co_return fail(
            error_kind::not_found, "unknown-request",
            "this instance does not remember such a request: it is not over yet, it went "
            "through another instance, or too long ago (RELAIS_ACCESS_KEPT)");
    }
    co_return guarded(http::response::json(200, request_json(*found, all->from.names)));
}

} // namespace

std::vector<http::route> live_routes(live_sources from) {
    const auto all = std::make_shared<shared_sources>(std::move(from));
    return {file("/live", live_page(), "text/html; charset=utf-8"),
            file("/live.css", live_style(), "text/css; charset=utf-8"),
            file("/live.js", live_script(), "text/javascript; charset=utf-8"),
            get("/live.json", [all](const http::request&) { return once(all); }),
            get("/live/events", [all](const http::request&) { return stream(all); }),
            get("/requests/{id}", [all](const http::request& request) {
                return why(all, request.path_parameter("id"));
            })};
}

} // namespace relais::gateway
