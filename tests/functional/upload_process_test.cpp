#include "support/service_process.hpp"
#include "support/upload_rig.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::test;

namespace {

/// As configured in a test: no Kafka (events stay in the outbox), quick to take over.
std::map<std::string, std::string> variables(const upload_rig& rig, std::uint16_t port) {
    const auto store = s3_settings();
    return {{"RELAIS_LISTEN", fmt::format("127.0.0.1:{}", port)},
            {"RELAIS_ADMIN_LISTEN", "127.0.0.1:0"},
            {"RELAIS_DATABASE_URL", rig.database_url},
            {"RELAIS_DATABASE_CONNECTIONS", "2"},
            {"RELAIS_INSTANCES_MAX", "1"},
            {"RELAIS_KAFKA_BROKERS", "127.0.0.1:1"},
            {"RELAIS_IDENTITY_PUBLIC_KEY", std::string(43, 'A')},
            {"RELAIS_S3_ENDPOINT", store.endpoint_url},
            {"RELAIS_S3_ACCESS_KEY", store.credentials.access_key},
            {"RELAIS_S3_SECRET_KEY", store.credentials.secret_key.reveal()},
            {"RELAIS_S3_EVENT_TOKEN", "object-event-token"},
            {"RELAIS_S3_BUCKET_STAGING", rig.staging},
            {"RELAIS_S3_BUCKET_MEDIA", rig.media},
            {"RELAIS_UPLOAD_LEASE_SECONDS", "1"},
            {"RELAIS_LOG_LEVEL", "error"}};
}

constexpr auto progress = "SELECT count(*) FILTER (WHERE state <> 'granted') + "
                          "count(*) FILTER (WHERE state IN ('verifying', 'ready')) + "
                          "count(*) FILTER (WHERE state = 'ready') FROM upload";

std::string id_of(const boost::json::object& grant) {
    return std::string(grant.at("id").as_string());
}

} // namespace

TEST_CASE("upload process: killed at every step, each upload is done once", "[upload][process]") {
    upload_rig rig({.works = false});
    const auto content = picture("jpeg-small");
    for (int i = 0; i < 3; ++i) {
        const auto grant = rig.grant(content, "image/jpeg");
        REQUIRE(rig.put(grant, content) == 200);
        rig.complete(id_of(grant));
    }
    const auto seen = [&rig] {
        return query(rig.database_url, progress)[0][0];
    };
    const auto work = variables(rig, free_port());
    std::string before = seen();
    for (int kills = 0; kills < 7 && before != "9"; ++kills) {
        service_process service("relais-upload", work);
        while (seen() == before) {
            rig.turn();
        }
        service.kill();
        before = seen();
    }
    service_process service("relais-upload", work);
    rig.wait_for("SELECT count(*) FROM upload WHERE state = 'ready'", "3");
    rig.wait_until_idle();
    CHECK(rig.events("AssetReady") == "3");
    CHECK(rig.events("UploadRejected") == "0");
    CHECK(query(rig.database_url, "SELECT 1 FROM timer").empty());
}

TEST_CASE("upload process: the store tells, nobody else", "[upload][process]") {
    upload_rig rig({.staging = "relais-test-events", .works = false});
    const auto port = free_port();
    const s3_events told(rig.staging, fmt::format("http://127.0.0.1:{}/internal/v1/object-events"
                                                  "?token=object-event-token",
                                                  port));
    const auto content = picture("jpeg-small");
    const auto before = rig.grant(content, "image/jpeg");
    REQUIRE(rig.put(before, content) == 200); // nobody listens yet: the store keeps its message
    service_process service("relais-upload", variables(rig, port));
    rig.wait_for_state(id_of(before), "ready");
    const auto by_form = rig.grant(content, "image/jpeg");
    REQUIRE(rig.post(by_form, content) == 201);
    rig.wait_for_state(id_of(by_form), "ready");
    rig.wait_until_idle();
    CHECK(rig.events("AssetReady") == "2");
    CHECK(service.stop() == 0);
}
