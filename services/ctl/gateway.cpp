#include "ctl/command.hpp"
#include "http/client.hpp"
#include "http/dispatch.hpp"
#include "http/json_reader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

namespace asio = boost::asio;

namespace relais::ctl {
namespace {

constexpr const char* usual_admin = "http://127.0.0.1:8401";
constexpr std::size_t sentences_max = 20;
constexpr std::size_t sentence_max = 2'000;

/// The answer of an instance's admin listener.
result<http::response> ask(const std::string& admin, const std::string& target) {
    asio::io_context loop(1);
    metrics::registry metrics;
    http::client client({.base_url = admin, .name = "gateway-admin"}, loop, metrics);
    http::client::call what;
    what.target = target;
    result<http::response> answer = fail(error_kind::timeout, "gateway-admin-timeout", admin);
    asio::co_spawn(loop, client.send(std::move(what)),
                   [&](const std::exception_ptr& thrown, result<http::response> got) {
                       if (!thrown) {
                           answer = std::move(got);
                       }
                       loop.stop();
                   });
    loop.run();
    return answer;
}

void print_story(const std::string& admin, const std::string& body) {
    const http::json_reader told(body);
    told.allow_unknown();
    fmt::print("{} at {} (trace {}), told by {}:\n", told.text("request_id", {0, 200}),
               told.text("started_at", {0, 64}), told.text("trace_id", {0, 64}), admin);
    for (const auto& sentence : told.texts("story", sentences_max, {0, sentence_max})) {
        fmt::print("  - {}\n", sentence);
    }
}

/// Instances remember their own requests only, so all of them are asked until one knows it.
result<void> why(const std::string& id, const arguments& given) {
    if (!http::is_request_id(id)) {
        return fail(error_kind::invalid, "usage", id + " is no request id");
    }
    auto admins = given.values("--admin");
    if (admins.empty()) {
        admins.emplace_back(usual_admin);
    }
    for (const auto& admin : admins) {
        const auto answer = ask(admin, "/requests/" + id);
        if (!answer) {
            return fail(answer);
        }
        if (answer->status == 200) {
            if (given.has("--json")) {
                fmt::print("{}\n", answer->body);
            } else {
                print_story(admin, answer->body);
            }
            return {};
        }
    }
    return fail(error_kind::not_found, "unknown-request",
                fmt::format("none of {} instance(s) remembers {}", admins.size(), id));
}

result<void> run_gateway(const context&, std::span<const std::string> words) {
    const auto given = arguments::parse(words, {"--admin"}, {"--json"});
    if (!given) {
        return fail(given);
    }
    const auto& rest = given->rest();
    if (rest.size() == 2 && rest.front() == "why") {
        return why(rest[1], *given);
    }
    return fail(error_kind::invalid, "usage", "why REQUEST_ID");
}

} // namespace

command gateway_command() {
    return {"gateway", "gateway why REQUEST_ID|TRACE_ID [--admin URL …] [--json]",
            "why a request was routed or refused, as long as the gateway remembers it; asks the "
            "admin listeners\n      of these instances (else http://127.0.0.1:8401)",
            run_gateway};
}

} // namespace relais::ctl
