#include "support/raw_client.hpp"
#include "support/tls_gateway.hpp"

#include <catch2/catch_test_macros.hpp>

#include <atomic>
#include <cstdio>
#include <set>
#include <string>
#include <thread>

using namespace relais;
using test::request_text;
using test::tls_connection;
using test::tls_gateway;
using test::tls_peer_client;

namespace {

/// Visits of one client, now to this gateway, now to that, one after the other.
struct visits {
    int all = 0;
    int resumed = 0;
    int failed = 0;

    template <class Stop>
    void run(const test::peer_settings& settings, const std::vector<std::uint16_t>& ports,
             Stop stop) {
        tls_peer_client client(settings);
        while (!stop()) {
            tls_connection connection(client, ports[static_cast<std::size_t>(all) % ports.size()]);
            const bool whole = connection.secured() &&
                               connection.send(request_text("GET", "/v1/echo")) &&
                               connection.read_answer().starts_with("HTTP/1.1 200");
            ++all;
            failed += whole ? 0 : 1;
            resumed += whole && client.resumed() ? 1 : 0;
        }
    }
};

/// The names of the keys in the file.
std::set<std::string> names_in(const std::string& file) {
    std::set<std::string> out;
    FILE* const opened = std::fopen(file.c_str(), "r");
    if (opened == nullptr) {
        return out;
    }
    std::string text(4'096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), opened));
    std::fclose(opened);
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        out.insert(text.substr(text.find(' ', at) + 1, 32));
    }
    return out;
}

} // namespace

TEST_CASE("tickets are good on every loop and process, under load, while keys rotate",
          "[gateway][tls]") {
    const test::certificate_folder folder;
    const auto file = folder.file("tickets");
    const auto keys = fmt::format("ticket_keys {{ file: \"{}\" rotate_every_s: 5 }}\n", file);
    const tls_gateway one("", keys, {{"RELAIS_LOOPS", "2"}});
    const auto other_port = test::free_port();
    const test::gateway_process other(test::routes_for(one.origin.port()) +
                                          test::https_listener(other_port, {one.one}) + keys,
                                      {{"RELAIS_LOOPS", "2"}});
    const std::vector ports{one.port, other_port};
    visits tls_1_2;
    visits tls_1_3;
    auto old_client = one.trusting();
    old_client.version_max = 0x0303;
    std::atomic<bool> over{false};
    std::thread also([&] { tls_1_2.run(old_client, ports, [&] { return over.load(); }); });
    constexpr std::size_t rotations = 3;
    constexpr int at_most = 200'000;
    std::set<std::string> names;
    tls_1_3.run(one.trusting(), ports, [&] {
        names.merge(names_in(file));
        return names.size() > rotations || tls_1_3.all == at_most;
    });
    over = true;
    also.join();
    CHECK(names.size() > rotations);
    for (const auto& seen : {tls_1_2, tls_1_3}) {
        CAPTURE(seen.all, seen.resumed, seen.failed);
        CHECK(seen.failed == 0);
        CHECK(seen.all > 200);
        CHECK((seen.all - 1 - seen.resumed) * 1'000 <= seen.all); // all but the first
    }
}
