#include "http/dispatch.hpp"

#include "http/tokens.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace asio = boost::asio;

namespace relais::http {
namespace {

constexpr std::size_t unrouted_body_max = std::size_t{64} * 1024;
constexpr std::int64_t deadline_ms_max = 10LL * 60 * 1000;

bool is_media_type(std::string_view content_type, std::string_view wanted) {
    return equal_names(trim_blanks(content_type.substr(0, content_type.find(';'))), wanted);
}

std::chrono::steady_clock::time_point deadline_of(const request& incoming, const route* to) {
    const auto now = std::chrono::steady_clock::now();
    auto allowed = to == nullptr ? std::chrono::milliseconds(deadline_ms_max) : to->deadline;
    const auto text = incoming.header("x-relais-deadline-ms");
    std::int64_t given = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), given);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
    if (whole && given >= 0 && given <= deadline_ms_max) {
        allowed = std::min(allowed, std::chrono::milliseconds(given));
    }
    return now + allowed;
}

response answer_options(const std::vector<std::string>& allowed) {
    auto made = response::empty(204);
    made.headers.set("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
    return made;
}

response refuse_method(const request& about, const std::vector<std::string>& allowed) {
    const error failed{error_kind::invalid, "method-not-allowed", "this resource has other methods",
                       "", std::nullopt};
    auto made = problem(failed, &about);
    made.headers.set("Allow", fmt::format("{}", fmt::join(allowed, ", ")));
    return made;
}

result<void> check_body_type(const request& incoming, const route& to) {
    if (incoming.body.empty() || to.body_type.empty() ||
        is_media_type(incoming.header("content-type"), to.body_type)) {
        return {};
    }
    return fail(error_kind::invalid, "unsupported-media-type",
                "expected Content-Type: " + to.body_type);
}

result<void> check_access(const request& incoming, const route& to) {
    if (to.access == access::internal && incoming.headers.has("x-forwarded-for")) {
        return fail(error_kind::not_found, "not-found", "there is no such resource");
    }
    if ((to.access == access::account || to.access == access::role) && !incoming.caller) {
        return fail(error_kind::unauthenticated, "unauthenticated", "a valid credential is needed");
    }
    if (to.access == access::role && !incoming.caller->has_role(to.role)) {
        return fail(error_kind::forbidden, "missing-role", "the role " + to.role + " is needed");
    }
    return {};
}

} // namespace

bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.:").find(c) != std::string_view::npos;
    });
}

dispatch begin_dispatch(const request_head& head, const router& routes, std::string peer_address) {
    dispatch made;
    request& incoming = made.request;
    incoming.method = head.method;
    incoming.path = head.path;
    incoming.query = head.query;
    for (const auto& field : head.fields) {
        incoming.headers.add(std::string(field.name), std::string(field.value));
    }
    incoming.peer_address = std::move(peer_address);
    const auto id = incoming.header("x-request-id");
    incoming.request_id = is_request_id(id) ? std::string(id) : make_uuid_v7().text();
    const auto trace = trace::context::parse(incoming.header("traceparent"));
    incoming.trace = trace ? trace->child() : trace::context::start();
    made.match = routes.find(head.method, head.path);
    const route* to = made.match.route;
    incoming.deadline = deadline_of(incoming, to);
    incoming.route = to == nullptr ? "other" : to->path;
    incoming.path_parameters = std::move(made.match.parameters);
    made.body_max = to == nullptr ? unrouted_body_max : to->body_max;
    return made;
}

dispatcher::dispatcher(const identity_verifier* verify, metrics::registry& metrics,
                       log::logger logger)
    : verify_(verify), logger_(std::move(logger)),
      exceptions_(metrics.counter("http_server_handler_exceptions_total",
                                  "Handlers that threw instead of answering")) {}

result<void> dispatcher::admit(dispatch& what) const {
    request& incoming = what.request;
    const route& to = *what.match.route;
    if (const auto token = incoming.headers.find(identity_header); token && verify_ != nullptr) {
        auto who = verify_->verify(*token, clock_.now());
        if (!who) {
            return fail(who);
        }
        incoming.caller = std::move(*who);
    }
    if (auto allowed = check_access(incoming, to); !allowed) {
        return allowed;
    }
    return check_body_type(incoming, to);
}

asio::awaitable<result<response>> dispatcher::call_handler(const dispatch& what) const {
    std::string thrown;
    try {
        auto answering = what.match.route->handle(what.request);
        auto answer = co_await std::move(answering);
        co_return answer;
    } catch (const std::exception& failed) {
        thrown = failed.what();
    } catch (...) {
        thrown = "an exception of an unknown type";
    }
    exceptions_.increment();
    logger_.with(what.request.trace)
        .error("http.handler_exception", {{"route", what.request.route},
                                          {"request_id", what.request.request_id},
                                          {"error", thrown}});
    co_return fail(error_kind::internal, "internal", thrown);
}

asio::awaitable<response> dispatcher::run(dispatch& what) const {
    const request& incoming = what.request;
    if (what.match.route == nullptr) {
        if (incoming.method == "OPTIONS" && (incoming.path == "*" || !what.match.allowed.empty())) {
            co_return answer_options(what.match.allowed);
        }
        if (!what.match.allowed.empty()) {
            co_return refuse_method(incoming, what.match.allowed);
        }
        const error missing{error_kind::not_found, "not-found", "there is no such resource", "",
                            std::nullopt};
        co_return problem(missing, &incoming);
    }
    if (const auto admitted = admit(what); !admitted) {
        co_return problem(admitted.error(), &incoming);
    }
    auto calling = call_handler(what);
    auto answer = co_await std::move(calling);
    if (answer) {
        co_return std::move(*answer);
    }
    co_return problem(answer.error(), &incoming);
}

} // namespace relais::http
