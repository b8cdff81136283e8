#include "host/admin.hpp"
#include "host/health.hpp"
#include "host/process.hpp"
#include "support/http_server_rig.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <csignal>

namespace asio = boost::asio;
using namespace relais;
using Catch::Matchers::ContainsSubstring;

namespace {

host::process_settings quick(std::chrono::milliseconds drain_delay = {}) {
    host::process_settings out;
    out.service = "test";
    out.instance = "test-1";
    out.admin_listen = {"127.0.0.1", 0};
    out.log_level = log::level::error;
    out.drain_delay = drain_delay;
    return out;
}

/// A part that writes its name into `journal` when it starts and stops.
host::part journaled(host::stage stage, std::string name, std::vector<std::string>& journal) {
    return {stage, name,
            [name, &journal]() -> asio::awaitable<result<void>> {
                journal.push_back("+" + name);
                co_return result<void>();
            },
            [name, &journal]() -> asio::awaitable<void> {
                journal.push_back("-" + name);
                co_return;
            }};
}

} // namespace

TEST_CASE("stages start in order and stop in reverse on SIGTERM", "[host]") {
    host::process process(quick());
    std::vector<std::string> journal;
    process.add(journaled(host::stage::acceptors, "http", journal));
    process.add(journaled(host::stage::pools, "database", journal));
    process.add(journaled(host::stage::consumers, "inbox", journal));
    process.on_drain([&journal] { journal.push_back("drain"); });
    process.run_task(host::stage::workers, "stopper", []() -> asio::awaitable<void> {
        std::raise(SIGTERM);
        co_return;
    });
    CHECK(process.run() == 0);
    CHECK(journal == std::vector<std::string>{"+database", "+inbox", "+http", "drain", "-http",
                                              "-inbox", "-database"});
}

TEST_CASE("a part that cannot start ends the process with 1, after what had started", "[host]") {
    host::process process(quick());
    std::vector<std::string> journal;
    process.add(journaled(host::stage::pools, "database", journal));
    process.add({host::stage::workers, "broken",
                 []() -> asio::awaitable<result<void>> {
                     co_return fail(error_kind::invalid, "connection-budget", "too many");
                 },
                 nullptr});
    process.add(journaled(host::stage::acceptors, "http", journal));
    CHECK(process.run() == 1);
    CHECK(journal == std::vector<std::string>{"+database", "-database"});
}

TEST_CASE("a dependency that is away at the start is waited for", "[host]") {
    host::process process(quick());
    int tries = 0;
    process.add({host::stage::pools, "database",
                 [&tries]() -> asio::awaitable<result<void>> {
                     if (++tries < 3) {
                         co_return fail(error_kind::unavailable, "database-down");
                     }
                     std::raise(SIGTERM);
                     co_return result<void>();
                 },
                 nullptr});
    CHECK(process.run() == 0);
    CHECK(tries == 3);
}

TEST_CASE("a task that throws is a bug that ends the process with 1", "[host]") {
    host::process process(quick());
    std::vector<std::string> journal;
    process.add(journaled(host::stage::pools, "database", journal));
    process.run_task(host::stage::workers, "broken", []() -> asio::awaitable<void> {
        throw std::runtime_error("bug");
        co_return;
    });
    CHECK(process.run() == 1);
    CHECK(journal == std::vector<std::string>{"+database", "-database"});
}

TEST_CASE("a second signal ends the drain delay", "[host]") {
    host::process process(quick(std::chrono::minutes(5)));
    process.run_task(host::stage::workers, "stopper", []() -> asio::awaitable<void> {
        std::raise(SIGTERM);
        co_return;
    });
    process.on_drain([&process] { asio::post(process.loop(), [] { std::raise(SIGTERM); }); });
    CHECK(process.run() == 0);
}

TEST_CASE("readiness names the check that fails; life never looks", "[host]") {
    metrics::registry metrics;
    host::admin_state admin(metrics, log::logger(), "test");
    bool database_up = false;
    admin.add_check("database", [&database_up]() -> result<void> {
        if (!database_up) {
            return fail(error_kind::unavailable, "database-down", "not reachable");
        }
        return {};
    });
    const auto ask = [&admin](std::string_view path) {
        http::response answer;
        asio::io_context loop(1);
        for (const auto& route : admin.routes()) {
            if (route.path == path && route.method == "GET") {
                const http::request request;
                asio::co_spawn(loop, route.handle(request),
                               [&answer](const std::exception_ptr&, result<http::response> got) {
                                   answer = std::move(*got);
                               });
                loop.run();
            }
        }
        return answer;
    };
    CHECK(ask("/livez").status == 200);
    CHECK(ask("/readyz").status == 503); // still starting
    admin.set_phase(host::phase::running);
    const auto down = ask("/readyz");
    CHECK(down.status == 503);
    CHECK_THAT(down.body, ContainsSubstring("\"database\":\"not reachable\""));
    CHECK(admin.failing_checks() == std::vector<std::string>{"database: not reachable"});
    database_up = true;
    CHECK(admin.failing_checks().empty());
    CHECK(ask("/readyz").status == 200);
    admin.set_phase(host::phase::draining);
    CHECK(ask("/readyz").status == 503);
    CHECK(ask("/livez").status == 200);
    CHECK_THAT(ask("/metrics").body, ContainsSubstring("build_info"));
}

TEST_CASE("the health word asks the listener where this process reaches it", "[host]") {
    CHECK(host::own_url({"0.0.0.0", 8401}) == "http://127.0.0.1:8401");
    CHECK(host::own_url({"::", 8401}) == "http://[::1]:8401");
    CHECK(host::own_url({"127.0.0.2", 8401}) == "http://127.0.0.2:8401");

    std::uint16_t port = 0;
    {
        const test::running_server server;
        port = server.port();
        CHECK(host::ask_admin({"127.0.0.1", port}, "/echo") == 0);
        CHECK(host::ask_admin({"0.0.0.0", port}, "/echo") == 0);
        CHECK(host::ask_admin({"127.0.0.1", port}, "/unknown") == 1); // any answer but 200
    }
    CHECK(host::ask_admin({"127.0.0.1", port}, "/echo") == 1); // nobody listens
}

TEST_CASE("the word --health asks for readiness, --alive for life", "[host]") {
    const auto asked = [](const char* word) {
        std::string program = "relais-test";
        std::string argument = word;
        std::array<char*, 2> words{program.data(), argument.data()};
        const auto how = host::detail::parse_arguments(2, words.data(), "test", "a test");
        CHECK_FALSE(how.run);
        return how.ask;
    };
    CHECK(asked("--health") == "/readyz");
    CHECK(asked("--alive") == "/livez");
    CHECK(asked("--check-config").empty());
}

TEST_CASE("a one-off run starts the pools only and ends with its code, also when it throws",
          "[host]") {
    std::vector<std::string> journal;
    const auto code_of = [&journal](const std::vector<std::string>& words) {
        host::process process(quick());
        process.add(journaled(host::stage::pools, "database", journal));
        process.add(journaled(host::stage::acceptors, "http", journal));
        process.add_command({"add", "add N", [](std::vector<std::string> given) {
                                 return [](std::string text) -> asio::awaitable<int> {
                                     co_return std::stoi(text); // throws for what is no number
                                 }(given.at(0));
                             }});
        process.add_command({"wait", "wait", [&process](const auto&) -> asio::awaitable<int> {
                                 asio::post(process.loop(), [] { std::raise(SIGTERM); });
                                 asio::steady_timer never(process.loop(), std::chrono::hours(1));
                                 co_await never.async_wait(asio::use_awaitable);
                                 co_return 0;
                             }});
        return process.run_command(words);
    };
    CHECK(code_of({"add", "7"}) == 7);
    CHECK(journal == std::vector<std::string>{"+database", "-database"});
    CHECK(code_of({"add", "seven"}) == 1);
    CHECK(code_of({"wait"}) == 1);
    CHECK(code_of({"unknown"}) == 2);
    CHECK(code_of({"help"}) == 0);
}
