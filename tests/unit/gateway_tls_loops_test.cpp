// What the loops share: run under ThreadSanitizer this says whether it is shared rightly.
#include "support/tls_rig.hpp"

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <thread>

using namespace relais;
using namespace relais::gateway;
using relais::test::shake_hands;
using relais::test::socket_pair;
using relais::test::tls_peer_client;
using relais::test::tls_rig;

namespace {

constexpr int loops = 3;

/// What one loop does while certificates, keys and authorities change under it.
struct loop_life {
    loop_life(const tls_server& server, const std::atomic<bool>& is_over)
        : acceptor(server), over(is_over) {}

    void run() {
        tls_peer_client settled({.server_name = "one.example"});
        tls_peer_client guest({.server_name = "one.example"});
        const socket_pair sockets;
        auto session = acceptor.accept(sockets.ours());
        settled.connect(sockets.theirs());
        is_fine = shake_hands(session, settled).status == tls_status::done;
        while (is_fine && !over) {
            meet(guest);
            talk(session, settled);
        }
    }

    void meet(tls_peer_client& guest) {
        const socket_pair sockets;
        auto session = acceptor.accept(sockets.ours());
        guest.connect(sockets.theirs());
        is_fine = is_fine && shake_hands(session, guest).status == tls_status::done;
        ++handshakes;
        resumed += session.facts().resumed ? 1 : 0;
    }

    /// The connection that was there before all the changes.
    void talk(tls_session& session, tls_peer_client& client) {
        std::array<char, 64> into{};
        client.write("ping");
        is_fine = is_fine && session.read(into).bytes == 4 &&
                  session.write("pong").status == tls_status::done && client.read() == "pong";
    }

    tls_acceptor acceptor;
    const std::atomic<bool>& over;
    bool is_fine = false;
    int handshakes = 0;
    int resumed = 0;
};

} // namespace

TEST_CASE("a view sees what was published, and keeps what it sees", "[gateway][tls]") {
    published<int> numbers;
    published<int>::view view(numbers);
    bool changed = true;
    CHECK(view.look(&changed) == nullptr);
    CHECK_FALSE(changed);
    numbers.publish(std::make_shared<const int>(1));
    const int* first = view.look(&changed);
    CHECK(*first == 1);
    CHECK(changed);
    numbers.publish(std::make_shared<const int>(2));
    CHECK(*first == 1);
    CHECK(*view.look(&changed) == 2);
    CHECK(changed);
    view.look(&changed);
    CHECK_FALSE(changed);
    CHECK(*numbers.current() == 2);
}

TEST_CASE("everything is replaced while loops shake hands; running sessions do not notice",
          "[gateway][tls]") {
    tls_rig rig({.client_certificates = client_certificates::optional});
    rig.settings.client_ca_file = rig.authority.ca_file();
    tls_server server(rig.settings, rig.certificates, rig.keys.keys(), rig.time);
    std::atomic<bool> over{false};
    std::vector<std::unique_ptr<loop_life>> lives;
    std::vector<std::thread> threads;
    for (int i = 0; i < loops; ++i) {
        lives.push_back(std::make_unique<loop_life>(server, over));
    }
    for (const auto& each : lives) {
        threads.emplace_back([&life = *each] { life.run(); });
    }
    constexpr int changes = 20;
    for (int i = 0; i < changes; ++i) {
        rig.publish({rig.authority.issue("one", {.dns_names = {"one.example"}})});
        CHECK(rig.keys.rotate().has_value());
        CHECK(server.reload_authorities().has_value());
    }
    over = true;
    for (auto& each : threads) {
        each.join();
    }
    int handshakes = 0;
    for (const auto& each : lives) {
        CHECK(each->is_fine);
        handshakes += each->handshakes;
    }
    CHECK(handshakes > 0);
}
