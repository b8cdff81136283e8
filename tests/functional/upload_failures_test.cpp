#include "support/environment.hpp"
#include "support/upload_rig.hpp"

#include <catch2/catch_test_macros.hpp>

#include <sys/stat.h>

using namespace relais;
using namespace relais::test;

namespace {

std::string id_of(const boost::json::object& grant) {
    return std::string(grant.at("id").as_string());
}

/// A picture worker that does as the script says before, or instead of, being the real one.
std::string scripted_worker(const scratch_folder& scratch, const std::string& script) {
    const auto path = scratch.write("worker", "#!/bin/sh\n" + script + "\nexec " +
                                                  program("relais-upload-worker") + "\n");
    REQUIRE(chmod(path.c_str(), 0755) == 0);
    return path;
}

std::string send(upload_rig& rig, const std::string& content) {
    const auto grant = rig.grant(content, "image/jpeg");
    REQUIRE(rig.put(grant, content) == 200);
    rig.complete(id_of(grant));
    return id_of(grant);
}

} // namespace

TEST_CASE("upload: a worker killed in the middle, then it is done once", "[upload][failures]") {
    const scratch_folder scratch;
    upload_rig rig({.worker = scripted_worker(scratch, "if /bin/mkdir " + scratch.file("first") +
                                                           "; then read -r line; kill -9 $$; fi")});
    const auto id = send(rig, picture("jpeg"));
    rig.wait_for_state(id, "ready");
    rig.wait_until_idle();
    CHECK(std::filesystem::exists(scratch.file("first")));
    CHECK(rig.events("AssetReady") == "1");
    CHECK(rig.events("UploadRejected") == "0");
}

TEST_CASE("upload: a picture that always brings its worker down is refused", "[upload][failures]") {
    const scratch_folder scratch;
    upload_rig rig({.worker = scripted_worker(scratch, "/bin/cat > /dev/null; kill -SEGV $$")});
    const auto id = send(rig, picture("jpeg-small"));
    rig.wait_for_state(id, "rejected");
    rig.wait_until_idle();
    CHECK(rig.reason(id) == "processing-failed");
    CHECK(rig.events("UploadRejected") == "1");
}

TEST_CASE("upload: a worker that hangs, talks nonsense or does not exist", "[upload][failures]") {
    const scratch_folder scratch;
    const auto content = picture("jpeg-small");
    SECTION("hangs: killed after its time") {
        upload_rig rig({.worker = scripted_worker(scratch, "exec /bin/sleep 1000"),
                        .worker_timeout = std::chrono::milliseconds(100)});
        const auto id = send(rig, content);
        rig.wait_for_state(id, "rejected");
        CHECK(rig.reason(id) == "processing-failed");
    }
    SECTION("talks nonsense") {
        upload_rig rig(
            {.worker = scripted_worker(scratch, "/bin/cat > /dev/null; echo ok; exit 0")});
        const auto id = send(rig, content);
        rig.wait_for_state(id, "rejected");
        CHECK(rig.reason(id) == "processing-failed");
    }
    SECTION("talks without end") {
        upload_rig rig({.worker = scripted_worker(scratch, "exec /bin/cat /dev/zero")});
        const auto id = send(rig, content);
        rig.wait_for_state(id, "rejected");
        CHECK(rig.reason(id) == "processing-failed");
    }
    SECTION("does not exist: that is not the picture's fault") {
        upload_rig rig({.worker = "/nonexistent/worker"});
        const auto id = send(rig, content);
        rig.wait_for("SELECT failures > 6 FROM upload_work", "t");
        CHECK(rig.state(id) == "verifying");
    }
}

TEST_CASE("upload: a store that is away delays and nothing more", "[upload][failures]") {
    test::database shared({"upload"});
    std::string id;
    const auto content = picture("jpeg-small");
    {
        upload_rig rig({.database_url = shared.url(), .s3_endpoint = "http://127.0.0.1:1"});
        id = send(rig, content);
        rig.wait_for("SELECT failures > 2 FROM upload_work", "t");
        CHECK(rig.state(id) == "granted");
        CHECK(shared.value("SELECT last_error FROM upload_work") == "objectstore-unavailable");
    }
    upload_rig rig({.database_url = shared.url()});
    rig.wait_for_state(id, "ready");
    rig.wait_until_idle();
    CHECK(rig.events("AssetReady") == "1");
}

TEST_CASE("upload: work that somebody left behind is taken over", "[upload][failures]") {
    test::database shared({"upload"});
    std::string id;
    const auto content = picture("jpeg-small");
    {
        upload_rig rig({.database_url = shared.url(), .s3_endpoint = "http://127.0.0.1:1"});
        id = send(rig, content);
    }
    // As after kill -9 in the middle of verifying: the claim of a process that is no more.
    shared.query("UPDATE upload SET state = 'verifying' WHERE id = '" + id + "'");
    shared.query("UPDATE upload_work SET claimed_by = '" + make_uuid_v7().text() +
                 "', claimed_until = now() + interval '1 second', due_at = now(), fence = 7");
    upload_rig rig({.database_url = shared.url()});
    rig.wait_for_state(id, "ready");
    rig.wait_until_idle();
    CHECK(rig.events("AssetReady") == "1");
}

TEST_CASE("upload: after the wall clock was set back, work does not wait", "[upload][failures]") {
    test::database shared({"upload"});
    std::string id;
    const auto content = picture("jpeg-small");
    {
        upload_rig rig({.database_url = shared.url(), .s3_endpoint = "http://127.0.0.1:1"});
        id = send(rig, content);
    }
    shared.query(
        "UPDATE upload_work SET claimed_by = '" + make_uuid_v7().text() +
        "', claimed_until = now() + interval '1 hour', due_at = now() + interval '1 hour'");
    upload_rig rig({.database_url = shared.url()});
    rig.wait_for_state(id, "ready");
    rig.wait_until_idle();
    CHECK(rig.events("AssetReady") == "1");
}

TEST_CASE("upload: two instances, many pictures, each done once", "[upload][failures]") {
    upload_rig one;
    upload_rig two({.database_url = one.database_url});
    const auto content = picture("jpeg-small");
    for (int i = 0; i < 12; ++i) {
        send(i % 2 == 0 ? one : two, content);
    }
    const auto ready = [&one] {
        return query(one.database_url, "SELECT count(*) FROM upload WHERE state = 'ready'")[0][0];
    };
    while (ready() != "12") {
        one.turn();
        two.turn();
    }
    CHECK(one.events("AssetReady") == "12");
    for (upload_rig* each : {&one, &two}) { // both had a part in it
        const metrics::labels of_ready{{"state", "ready"}};
        CHECK(each->metrics.counter("upload_transitions_total", "", of_ready).value() > 0);
    }
}
