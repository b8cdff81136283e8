#include "gateway/identity/identity_cache.hpp"

#include <catch2/catch_test_macros.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;

namespace {

struct waiting final : identity_user {
    std::string got;
    std::function<void()> then;

    void on_identity(const result<const known_caller*>& who) override {
        got = !who ? "error" : *who == nullptr ? "nobody" : (*who)->who.credential_id;
        if (then) {
            then();
        }
    }
};

struct rig {
    manual_clock time{timestamp(1'800'000'000s)};
    edge_loop loop{time};
    std::vector<std::string> asked;
    std::vector<std::function<void(result<introspection>)>> answers;
    identity_cache cache{loop,
                         [this](std::string token, const trace::context&, auto answer) {
                             asked.push_back(std::move(token));
                             answers.push_back(std::move(answer));
                         },
                         3};

    introspection of(const std::string& credential) const {
        known_caller caller;
        caller.who.credential_id = credential;
        return {caller, time.steady_now() + 30s, time.now()};
    }

    std::string find(const std::string& token) {
        const auto found = cache.find(token);
        return !found ? "unknown" : *found == nullptr ? "nobody" : (*found)->who.credential_id;
    }

    void learn(const std::string& token, const std::string& credential) {
        waiting one;
        cache.ask(token, {}, one);
        answers.back()(of(credential));
        REQUIRE(one.got == credential);
    }
};

} // namespace

TEST_CASE("requests with the same unknown token ask once", "[gateway]") {
    rig with;
    waiting first;
    waiting second;
    with.cache.ask("t", {}, first);
    with.cache.ask("t", {}, second);
    REQUIRE(with.asked == std::vector<std::string>{"t"});
    with.answers[0](with.of("c1"));
    CHECK(first.got == "c1");
    CHECK(second.got == "c1");
    CHECK(with.find("t") == "c1");
    CHECK(with.find("u") == "unknown");
}

TEST_CASE("who gave up is not told, also when another's answer makes it give up", "[gateway]") {
    rig with;
    waiting gone;
    waiting first;
    waiting second;
    with.cache.ask("t", {}, gone);
    with.cache.ask("t", {}, first);
    with.cache.ask("t", {}, second);
    with.cache.forget(gone);
    first.then = [&] {
        with.cache.forget(second);
    };
    second.then = [&] {
        with.cache.forget(first);
    };
    with.answers[0](with.of("c1"));
    CHECK(gone.got.empty());
    CHECK(first.got.empty() != second.got.empty());
}

TEST_CASE("an answer holds as long as it says, and while the wall clock agrees", "[gateway]") {
    rig with;
    with.learn("t", "c1");
    with.time.advance(29s);
    CHECK(with.find("t") == "c1");
    with.time.advance(1s);
    CHECK(with.find("t") == "unknown");
    with.learn("t", "c1");
    with.time.jump(61s);
    CHECK(with.find("t") == "unknown");
}

TEST_CASE("a revoked credential is nobody's at once, an answer on its way included", "[gateway]") {
    rig with;
    with.learn("t", "c1");
    with.learn("u", "c1"); // two tokens of one credential
    with.learn("v", "c2");
    with.cache.revoke("c1");
    CHECK(with.find("t") == "nobody");
    CHECK(with.find("u") == "nobody");
    CHECK(with.find("v") == "c2");
}

TEST_CASE("a failure is not kept", "[gateway]") {
    rig with;
    waiting one;
    with.cache.ask("t", {}, one);
    with.answers[0](fail(error_kind::unavailable, "introspection-failed"));
    CHECK(one.got == "error");
    CHECK(with.find("t") == "unknown");
}

TEST_CASE("the cache is bounded, the oldest go first, and they can be revoked no more",
          "[gateway]") {
    rig with;
    for (const std::string token : {"a", "b", "a", "c", "d"}) {
        with.learn(token, "c-" + token);
    }
    CHECK(with.find("a") == "unknown");
    CHECK(with.find("b") == "c-b");
    CHECK(with.find("d") == "c-d");
    with.cache.revoke("c-a");
    with.cache.revoke("c-d");
    CHECK(with.find("d") == "nobody");
}
