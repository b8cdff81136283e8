#include "objectstore/answer.hpp"
#include "objectstore/store.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace relais;
using namespace relais::objectstore;

namespace {

std::string document(std::string_view code) {
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + std::string(code) +
           "</Code><Message></Message><RequestId>tx0</RequestId></Error>";
}

} // namespace

TEST_CASE("what a store's answer means", "[objectstore]") {
    struct row {
        int status;
        std::string body;
        std::string_view slug; // empty: success
        error_kind kind;
    };

    const std::vector<row> table{
        {200, "", "", {}},
        {204, "", "", {}},
        {200, "<CopyObjectResult/>", "", {}},
        {200, document("InternalError"), "objectstore-unavailable", error_kind::unavailable},
        {404, "", "no-such-object", error_kind::not_found},
        {404, document("NoSuchKey"), "no-such-object", error_kind::not_found},
        {404, document("NoSuchBucket"), "objectstore-bad-answer", error_kind::internal},
        {403, "", "objectstore-denied", error_kind::forbidden},
        {403, document("RequestTimeTooSkewed"), "objectstore-denied", error_kind::forbidden},
        {412, document("PreconditionFailed"), "object-exists", error_kind::conflict},
        {409, document("ConditionalRequestConflict"), "objectstore-unavailable",
         error_kind::unavailable},
        {400, document("RequestTimeout"), "objectstore-unavailable", error_kind::unavailable},
        {400, document("InvalidArgument"), "objectstore-bad-answer", error_kind::internal},
        {429, "", "objectstore-unavailable", error_kind::unavailable},
        {500, document("UnknownError"), "objectstore-unavailable", error_kind::unavailable},
        {503, document("SlowDown"), "objectstore-unavailable", error_kind::unavailable},
        {307, "", "objectstore-bad-answer", error_kind::internal},
    };
    for (const auto& [status, body, slug, kind] : table) {
        CAPTURE(status, body);
        const auto checked = check_answer(status, body);
        REQUIRE(checked.has_value() == slug.empty());
        if (!checked) {
            CHECK(checked.error().slug == slug);
            CHECK(checked.error().kind == kind);
        }
    }
}

TEST_CASE("the code of an error document", "[objectstore]") {
    CHECK(error_code(document("SlowDown")) == "SlowDown");
    CHECK(error_code("").empty());
    CHECK(error_code("<Error><Code>unfinished").empty());
    CHECK(error_code("<html><Code>no</Code></html>").empty());
    CHECK(error_code("<Error><Code>" + std::string(500, 'x') + "</Code>").size() == 64);
}

TEST_CASE("an endpoint's parts", "[objectstore]") {
    CHECK(split_endpoint("http://127.0.0.1:8464").host == "127.0.0.1:8464");
    CHECK(split_endpoint("http://store:80").host == "store");
    CHECK(split_endpoint("https://store:80").host == "store:80");
    CHECK(split_endpoint("https://store:443/prefix/").host == "store");
    CHECK(split_endpoint("https://store:443/prefix/").path == "/prefix");
    CHECK(split_endpoint("https://store/").path.empty());
}
