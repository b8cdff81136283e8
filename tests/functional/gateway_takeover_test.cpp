#include "host/takeover.hpp"
#include "support/gateway_process.hpp"
#include "support/origin_server.hpp"
#include "support/raw_client.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace relais;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using test::gateway_process;
using test::origin_server;
using test::raw_client;
using test::request_text;

namespace {

std::string socket_path() {
    return (std::filesystem::temp_directory_path() /
            fmt::format("relais-takeover-{}.sock", ::getpid()))
        .string();
}

/// Clients that ask all the time and note whatever goes wrong.
class load {
public:
    explicit load(std::uint16_t port) {
        add([port](const load&) {
            raw_client once(port);
            once.send(request_text("GET", "/v1/echo", "Connection: close\r\n"));
            return once.read_all();
        });
        add([port](const load& all) {
            raw_client kept(port); // until it is told that the connection ends
            std::string answer;
            do {
                kept.send(request_text("GET", "/v1/echo"));
                answer = kept.read_answer();
            } while (!all.stopping_ && answer.starts_with("HTTP/1.1 200") &&
                     answer.find("Connection: close") == std::string::npos);
            return answer;
        });
        add([port](const load&) {
            raw_client upload(port);
            upload.send("PUT /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
            for (int i = 0; i < 10; ++i) {
                upload.send(std::string(100'000, 'x'));
            }
            return upload.read_answer();
        });
    }

    ~load() {
        stop();
    }

    void stop() {
        stopping_ = true;
        for (auto& each : threads_) {
            if (each.joinable()) {
                each.join();
            }
        }
    }

    int rounds() const {
        return rounds_;
    }

    std::string failures() const {
        const std::scoped_lock lock(mutex_);
        return failures_;
    }

private:
    void add(std::function<std::string(const load&)> one_round) {
        threads_.emplace_back([this, one_round = std::move(one_round)] {
            while (!stopping_) {
                std::string said;
                try {
                    said = one_round(*this);
                } catch (const std::exception& failed) {
                    said = failed.what();
                }
                ++rounds_;
                if (!said.starts_with("HTTP/1.1 200")) {
                    const std::scoped_lock lock(mutex_);
                    failures_ += "[" + said + "]";
                }
            }
        });
    }

    std::atomic<bool> stopping_{false};
    std::atomic<int> rounds_{0};
    mutable std::mutex mutex_;
    std::string failures_;
    std::vector<std::thread> threads_;
};

} // namespace

TEST_CASE("a new process takes the sockets over and no client notices", "[gateway]") {
    origin_server origin;
    const auto path = socket_path();
    auto current = std::make_unique<gateway_process>(
        test::routes_for(origin.port()),
        std::map<std::string, std::string>{{"RELAIS_TAKEOVER_SOCKET", path},
                                           {"RELAIS_DRAIN_DELAY", "60000"}}); // not waited for
    load clients(current->port());
    for (int i = 0; i < 10; ++i) {
        CAPTURE(i);
        const auto before = clients.rounds();
        auto next = current->start_successor();
        CHECK(current->wait() == 0);
        CHECK_THAT(current->log(), ContainsSubstring(R"("event":"takeover.given")"));
        CHECK_THAT(next->log(), ContainsSubstring(R"("event":"takeover.done")"));
        CHECK_THAT(next->admin("/readyz"), StartsWith("HTTP/1.1 200"));
        CHECK(clients.rounds() > before);
        current = std::move(next);
    }
    clients.stop();
    CHECK(clients.failures() == "");
    CHECK(clients.rounds() > 50);
    std::filesystem::remove(path);
}

TEST_CASE("a process that asks for the sockets and dies changes nothing", "[gateway]") {
    origin_server origin;
    const auto path = socket_path();
    gateway_process gateway(test::routes_for(origin.port()), {{"RELAIS_TAKEOVER_SOCKET", path}});
    REQUIRE(gateway.wait_for_log("service.ready"));
    struct stat about{};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    CHECK((about.st_mode & 0777) == 0600);
    for (int i = 0; i < 3; ++i) {
        http::socket_shelf shelf;
        const auto asked = host::takeover_request::begin(path, shelf);
        REQUIRE(asked);
        REQUIRE(*asked);
        CHECK((*asked)->sockets() == 3); // clients, HTTP/2, admin
        const int descriptor = shelf.take(fmt::format("127.0.0.1:{}", gateway.port()));
        CHECK(descriptor >= 0);
        ::close(descriptor);
    }
    CHECK(gateway.wait_for_log("takeover.given_up"));
    raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/echo"));
    CHECK_THAT(client.read_answer(),
               StartsWith("HTTP/1.1 200") && !ContainsSubstring("Connection: close"));
    gateway.terminate();
    CHECK(gateway.wait() == 0);
    std::filesystem::remove(path);
}

TEST_CASE("a process that is not ready in time says why and takes nothing over", "[gateway]") {
    origin_server origin;
    const auto path = socket_path();
    gateway_process gateway(
        test::routes_for(origin.port()),
        {{"RELAIS_TAKEOVER_SOCKET", path}, {"RELAIS_TAKEOVER_READY_WITHIN", "300"}});
    origin.set_ready(false);
    CHECK_THROWS_WITH(gateway.start_successor(),
                      ContainsSubstring(R"("event":"takeover.failed","error":"not-ready",)"
                                        R"("detail":"/readyz would not say yes within 300 ms: )"
                                        R"(web-api: no healthy instance")"));
    origin.set_ready(true);
    raw_client client(gateway.port());
    client.send(request_text("GET", "/v1/echo"));
    CHECK_THAT(client.read_answer(), StartsWith("HTTP/1.1 200"));
    std::filesystem::remove(path);
}

TEST_CASE("one takeover at a time, and none of nobody", "[gateway]") {
    origin_server origin;
    const auto path = socket_path();
    gateway_process gateway(test::routes_for(origin.port()), {{"RELAIS_TAKEOVER_SOCKET", path}});
    http::socket_shelf nothing;
    const auto nobody = host::takeover_request::begin(path + ".not-there", nothing);
    REQUIRE(nobody);
    CHECK_FALSE(nobody->has_value());
    {
        http::socket_shelf shelf;
        auto one = host::takeover_request::begin(path, shelf);
        REQUIRE(one);
        const auto other = host::takeover_request::begin(path, nothing); // one at a time
        CHECK_FALSE(other);
    }
    CHECK_THAT(gateway.admin("/readyz"), StartsWith("HTTP/1.1 200"));
    std::filesystem::remove(path);
}
