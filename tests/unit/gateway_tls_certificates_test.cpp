#include "gateway/tls/certificate_store.hpp"
#include "gateway/tls/certificate_watch.hpp"
#include "support/tls_rig.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace relais;
using namespace relais::gateway;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using relais::test::certificate_authority;
using relais::test::certificate_folder;
using relais::test::certificate_pair;
using relais::test::files_of;
using relais::test::load_store;

namespace {

std::string text_in(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// One line a problem: "slug: detail".
std::string problems_of(const std::vector<certificate_files>& files) {
    const auto loaded = certificate_store::load(files, system_clock().now());
    REQUIRE_FALSE(loaded.has_value());
    std::string out;
    for (const auto& each : loaded.error()) {
        CHECK(each.kind == error_kind::invalid);
        out += fmt::format("{}: {}\n", each.slug, each.detail);
    }
    return out;
}

/// The reports of a watch over one pair of files.
struct watched {
    explicit watched(const certificate_pair& pair) : files{files_of(pair)} {
        watch.add("edge", file_names(files), [this] {
            auto loaded = certificate_store::load(files, system_clock().now());
            if (!loaded) {
                return loaded.error();
            }
            store.publish(std::move(*loaded));
            return std::vector<error>{};
        });
        store.publish(load_store(files));
    }

    std::string name() const {
        return store.current()->certificates().front().dns_names.front();
    }

    std::vector<certificate_files> files;
    published<certificate_store> store;
    std::vector<watch_outcome> reports;
    certificate_watch watch{[this](const watch_outcome& outcome) {
        reports.push_back(outcome);
    }};
};

} // namespace

TEST_CASE("certificates and what is shown of them", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    const auto ecdsa = authority.issue(
        "e", {.common_name = "edge", .dns_names = {"Shop.Example", "*.shop.example"}});
    const auto rsa = authority.issue(
        "r", {.dns_names = {"r.example"}, .key = "RSA", .valid_to = std::chrono::hours(24)});
    const auto store = load_store({files_of(ecdsa), files_of(rsa)});
    REQUIRE(store->certificates().size() == 2);
    const auto& first = store->certificates()[0];
    CHECK(first.chain_file == ecdsa.chain_file);
    CHECK(first.subject == "CN=edge");
    CHECK(first.dns_names == std::vector<std::string>{"shop.example", "*.shop.example"});
    CHECK(to_string(first.kind) == "ecdsa");
    const auto& second = store->certificates()[1];
    CHECK(to_string(second.kind) == "rsa");
    const auto now = system_clock().now();
    CHECK(second.left(now) <= 24h);
    CHECK(second.left(now) > 23h);
    CHECK(second.left(now + 48h) < 0s);
}

TEST_CASE("the choice by name", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    const auto issue = [&](const std::string& file, std::vector<std::string> names) {
        return files_of(authority.issue(file, {.dns_names = std::move(names)}));
    };
    const auto store = load_store({issue("first", {"*.a.example", "a.example"}),
                                   issue("second", {"b.example", "x.a.example"}),
                                   issue("third", {"b.example", "c.example"})});
    const auto chosen = [&](std::string_view name) {
        return std::filesystem::path(store->facts(store->choose(name)).chain_file).stem().string();
    };
    CHECK(chosen("y.a.example") == "first");
    CHECK(chosen("x.a.example") == "second"); // the exact name
    CHECK(chosen("X.A.EXAMPLE") == "second");
    CHECK(chosen("b.example") == "second"); // the earlier file
    CHECK(chosen("c.example") == "third");
    for (const std::string& unknown :
         {std::string(), std::string("example"), std::string("z.y.a.example"), std::string("."),
          std::string(".a.example"), std::string("*.b.example"), std::string(300, 'a')}) {
        CHECK(chosen(unknown) == "first");
    }
}

TEST_CASE("a certificate for addresses only is the default", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    const auto store =
        load_store({files_of(authority.issue("address", {.addresses = {"127.0.0.1"}})),
                    files_of(authority.issue("named", {.dns_names = {"a.example"}}))});
    CHECK(store->choose("elsewhere").ecdsa == store->choose("").ecdsa);
    CHECK_FALSE(store->choose("a.example") == store->choose(""));
}

TEST_CASE("everything wrong with the certificates is said at once", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    certificate_authority stranger(folder, "stranger");
    const auto good = authority.issue("good", {.dns_names = {"a.example"}});
    const auto expired = authority.issue(
        "expired", {.dns_names = {"b.example"}, .valid_from = -48h, .valid_to = -24h});
    const auto early = authority.issue("early", {.dns_names = {"c.example"}, .valid_from = 24h});
    const auto nameless = authority.issue("nameless", {});
    const auto weak = authority.issue("weak", {.dns_names = {"d.example"}, .key = "RSA-1024"});
    const auto exotic = authority.issue("exotic", {.dns_names = {"e.example"}, .key = "ED25519"});
    const auto unchained = folder.write(
        "unchained.pem",
        text_in(good.chain_file).substr(0, text_in(good.chain_file).find("-----BEGIN", 10)) +
            text_in(stranger.ca_file()));
    const auto all = problems_of({files_of(good),
                                  {good.chain_file, expired.key_file},
                                  files_of(expired),
                                  files_of(early),
                                  files_of(nameless),
                                  files_of(weak),
                                  files_of(exotic),
                                  {unchained, good.key_file},
                                  {folder.file("none.pem"), folder.file("none.key")}});
    CHECK_THAT(all, ContainsSubstring("key-mismatch: " + expired.key_file + ": "));
    CHECK_THAT(all, ContainsSubstring("certificate-expired: " + expired.chain_file + ": "));
    CHECK_THAT(all, ContainsSubstring("certificate-not-yet-valid: " + early.chain_file + ": "));
    CHECK_THAT(all, ContainsSubstring("no-subject-alternative-name: " + nameless.chain_file));
    CHECK_THAT(all, ContainsSubstring("unsupported-key: " + weak.chain_file));
    CHECK_THAT(all, ContainsSubstring("unsupported-key: " + exotic.chain_file));
    CHECK_THAT(all, ContainsSubstring("broken-chain: " + unchained));
    CHECK_THAT(all, ContainsSubstring("unreadable-file: " + folder.file("none.pem") +
                                      ": No such file or directory"));
    CHECK_THAT(all, ContainsSubstring("unreadable-file: " + folder.file("none.key")));
    CHECK(std::ranges::count(all, '\n') == 9);
    CHECK(problems_of({}) == "no-certificates: none is configured\n");
}

TEST_CASE("files that hold no certificate or key", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    const auto good = authority.issue("good", {.dns_names = {"a.example"}});
    const auto with_chain = [&](const std::string& text) {
        return problems_of({{folder.write("bad.pem", text), good.key_file}});
    };
    const auto with_key = [&](const std::string& text) {
        return problems_of({{good.chain_file, folder.write("bad.key", text)}});
    };
    CHECK_THAT(with_chain(""), ContainsSubstring("no-certificate: "));
    CHECK_THAT(with_chain(text_in(good.key_file)), ContainsSubstring("no-certificate: "));
    CHECK_THAT(with_chain("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
               ContainsSubstring("broken-certificate: "));
    CHECK_THAT(with_chain(text_in(good.chain_file).substr(0, 200)),
               ContainsSubstring("broken-certificate: "));
    CHECK_THAT(with_chain(std::string((1 << 20) + 1, 'x')), ContainsSubstring("oversized-file: "));
    CHECK_THAT(with_key("nothing"), ContainsSubstring("no-private-key: "));
    CHECK_THAT(with_key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n"
                        "-----END ENCRYPTED PRIVATE KEY-----\n"),
               ContainsSubstring("protected by a pass phrase"));
    CHECK_THAT(problems_of({{folder.file("."), good.key_file}}),
               ContainsSubstring("unreadable-file: "));
}

TEST_CASE("changed files are loaded, unchanged ones are not", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    watched edge(authority.issue("edge", {.dns_names = {"old.example"}}));
    edge.watch.look();
    CHECK(edge.reports.empty());
    authority.issue("edge", {.dns_names = {"new.example"}});
    edge.watch.look();
    REQUIRE(edge.reports.size() == 1);
    CHECK(edge.reports[0].group == "edge");
    CHECK(edge.reports[0].accepted);
    CHECK(edge.name() == "new.example");
    edge.watch.look();
    CHECK(edge.reports.size() == 1);
    edge.watch.look(true); // on demand
    CHECK(edge.reports.size() == 2);
}

TEST_CASE("a broken new set leaves the old one, says why once, and is tried again",
          "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    const auto pair = authority.issue("edge", {.dns_names = {"old.example"}});
    watched edge(pair);
    const auto next = authority.issue("next", {.dns_names = {"new.example"}});
    std::filesystem::rename(next.chain_file, pair.chain_file); // its key comes later
    edge.watch.look();
    edge.watch.look();
    REQUIRE(edge.reports.size() == 1);
    CHECK_FALSE(edge.reports[0].accepted);
    REQUIRE(edge.reports[0].problems.size() == 1);
    CHECK(edge.reports[0].problems[0].slug == "key-mismatch");
    CHECK(edge.name() == "old.example");
    REQUIRE(edge.watch.refused().size() == 1);
    CHECK(edge.watch.refused()[0].group == "edge");

    std::filesystem::remove(pair.key_file);
    edge.watch.look();
    CHECK(edge.reports.size() == 2); // another reason
    std::filesystem::rename(next.key_file, pair.key_file);
    edge.watch.look();
    CHECK(edge.reports.size() == 3);
    CHECK(edge.name() == "new.example");
    CHECK(edge.watch.refused().empty());
}

TEST_CASE("a watch looks by itself", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    watched edge(authority.issue("edge", {.dns_names = {"old.example"}}));
    boost::asio::io_context loop;
    boost::asio::co_spawn(loop, edge.watch.run(1ms), boost::asio::detached);
    authority.issue("edge", {.dns_names = {"new.example"}});
    while (edge.reports.empty() || !edge.reports.back().accepted) {
        loop.run_one();
    }
    CHECK(edge.name() == "new.example");
}

TEST_CASE("files behind a symbolic link that is swapped", "[gateway][tls]") {
    const certificate_folder folder;
    certificate_authority authority(folder, "authority");
    const auto first = authority.issue("first", {.dns_names = {"old.example"}});
    const auto second = authority.issue("second", {.dns_names = {"new.example"}});
    const auto chain = folder.file("tls.pem");
    const auto key = folder.file("tls.key");
    std::filesystem::create_symlink(first.chain_file, chain);
    std::filesystem::create_symlink(first.key_file, key);
    watched edge({chain, key});
    std::filesystem::remove(chain);
    std::filesystem::remove(key);
    std::filesystem::create_symlink(second.chain_file, chain);
    std::filesystem::create_symlink(second.key_file, key);
    edge.watch.look();
    CHECK(edge.name() == "new.example");
}
