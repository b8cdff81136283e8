#include "web-api/domain/consent.hpp"
#include "web-api/domain/lifecycle.hpp"
#include "web-api/domain/locale.hpp"
#include "web-api/domain/money.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/openapi/document.hpp"
#include "web-api/routes.hpp"

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <set>

using namespace relais;
using namespace relais::web_api;
namespace json = boost::json;

namespace {

const json::object& document() {
    static const json::value parsed = json::parse(openapi_document());
    return parsed.as_object();
}

const json::value& at(std::string_view pointer) {
    static const json::value parsed = json::parse(openapi_document());
    return parsed.at_pointer(pointer);
}

/// The route table with dependencies that no handler is asked to use.
const std::vector<http::route>& public_routes() {
    struct unused {
        metrics::registry metrics;
        pg::pool database{
            {.url = "", .application_name = "test", .connections = 1}, metrics, log::logger()};
        password_hasher passwords{{.threads = 1, .memory_kib = 8, .passes = 1}, metrics};
        system_clock time;
        dependencies with{.database = database, .passwords = passwords, .time = time};
    };

    static unused around;
    static const auto table = [] {
        auto all = routes(around.with);
        std::erase_if(
            all, [](const http::route& route) { return route.access == http::access::internal; });
        return all;
    }();
    return table;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
    return out;
}

std::vector<std::string> strings(const json::value& array) {
    std::vector<std::string> all;
    for (const auto& each : array.as_array()) {
        all.emplace_back(each.as_string());
    }
    return all;
}

/// Each object in the document that has this member.
void visit(const json::value& where, const std::function<void(const json::object&)>& see) {
    if (const auto* object = where.if_object()) {
        see(*object);
        for (const auto& [key, value] : *object) {
            visit(value, see);
        }
    } else if (const auto* array = where.if_array()) {
        for (const auto& value : *array) {
            visit(value, see);
        }
    }
}

const json::object& operation(const http::route& route) {
    std::string method(route.method);
    std::ranges::transform(method, method.begin(), [](char c) { return c - 'A' + 'a'; });
    return document().at("paths").as_object().at(route.path).as_object().at(method).as_object();
}

} // namespace

TEST_CASE("the OpenAPI document has the routes, all of them and no others", "[web-api]") {
    std::set<std::string> documented;
    for (const auto& [path, item] : document().at("paths").as_object()) {
        for (const auto& [method, what] : item.as_object()) {
            documented.insert(upper(method) + " " + std::string(path));
        }
    }
    std::set<std::string> served;
    for (const auto& route : public_routes()) {
        served.insert(route.method + " " + route.path);
    }
    CHECK(documented == served);
}

TEST_CASE("the document demands the credential that the route demands", "[web-api]") {
    for (const auto& route : public_routes()) {
        const auto& security = operation(route).at("security").as_array();
        INFO(route.method << " " << route.path);
        if (route.access == http::access::open) {
            CHECK(security.empty());
            continue;
        }
        REQUIRE(security.size() == 1);
        const auto scheme = route.role == "marketing" ? "apiKey" : "session";
        CHECK(security[0].as_object().contains(scheme));
        CHECK(operation(route).at("responses").as_object().contains("401"));
        CHECK(operation(route).at("responses").as_object().contains("403"));
    }
}

TEST_CASE("every POST that creates takes an Idempotency-Key, except sessions", "[web-api]") {
    for (const auto& route : public_routes()) {
        const auto& what = operation(route);
        const auto* parameters = what.if_contains("parameters");
        const bool takes =
            parameters != nullptr &&
            std::ranges::any_of(parameters->as_array(), [](const json::value& one) {
                const auto* ref = one.as_object().if_contains("$ref");
                return ref != nullptr && *ref == "#/components/parameters/IdempotencyKey";
            });
        INFO(route.method << " " << route.path);
        CHECK(takes == (route.method == "POST" && route.path != "/v1/sessions"));
    }
}

TEST_CASE("schemas are strict and references lead somewhere", "[web-api]") {
    const json::value all(document());
    visit(all, [&](const json::object& object) {
        if (const auto* ref = object.if_contains("$ref")) {
            boost::system::error_code failed;
            const std::string pointer(ref->as_string().subview(1));
            CHECK(all.find_pointer(pointer, failed) != nullptr);
        }
    });
    for (const auto& [name, schema] : at("/components/schemas").as_object()) {
        const auto& object = schema.as_object();
        const auto* type = object.if_contains("type");
        if (type != nullptr && *type == "object" && name != "Problem") {
            INFO(name);
            CHECK(object.at("additionalProperties") == false);
        }
    }
    std::set<std::string> ids;
    for (const auto& route : public_routes()) {
        ids.emplace(operation(route).at("operationId").as_string());
    }
    CHECK(ids.size() == public_routes().size());
}

TEST_CASE("the document names the words that the domain knows", "[web-api]") {
    CHECK(strings(at("/components/schemas/JobState/enum")) == states_of("job"));
    CHECK(strings(at("/components/schemas/OfferState/enum")) == states_of("offer"));
    CHECK(strings(at("/components/schemas/Locale/enum")) == locale_names());
    CHECK(strings(at("/components/schemas/Currency/enum")) == currency_names());
    CHECK(strings(at("/components/schemas/ConsentPurpose/enum")) == consent_purposes());
    CHECK(at("/components/schemas/AmountMinor/maximum") == amount_minor_max);
    CHECK(at("/components/parameters/Limit/schema/maximum").to_number<std::size_t>() ==
          page_limit_max);
    CHECK(at("/components/parameters/Limit/schema/default").to_number<std::size_t>() ==
          page_limit_default);
}

TEST_CASE("the document has the limits that the handlers have", "[web-api]") {
    const auto max = [](const std::string& schema) {
        return at("/components/schemas/" + schema + "/maxLength").to_number<std::size_t>();
    };
    CHECK(max("Email") == email_limits.max);
    CHECK(max("Registration/properties/display_name") == display_name_limits.max);
    CHECK(max("Registration/properties/password") == new_password_limits.max);
    CHECK(max("Credentials/properties/password") == password_limits.max);
    CHECK(max("NewDevice/properties/subscription_id") == subscription_id_limits.max);
    CHECK(max("Category") == category_limits.max);
    CHECK(max("Locality") == locality_limits.max);
    CHECK(max("NewJob/properties/title") == title_limits.max);
    CHECK(max("NewJob/properties/description") == description_limits.max);
    CHECK(max("NewOffer/properties/message") == message_limits.max);
    CHECK(max("NewCampaign/properties/name") == campaign_name_limits.max);
    CHECK(max("NewCampaign/properties/template") == template_limits.max);
    CHECK(at("/components/schemas/Registration/properties/password/minLength")
              .to_number<std::size_t>() == new_password_limits.min);
}
