#pragma once

#include "http/router.hpp"
#include "ids/encoding.hpp"
#include "support/await_on.hpp"
#include "support/database.hpp"
#include "web-api/domain/credential.hpp"
#include "web-api/routes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>

#include <optional>
#include <string>
#include <vector>

namespace relais::test {

/// An event as it lies in the outbox.
struct sent_event {
    std::string type; ///< without the package: "OfferMade"
    std::string key;
    std::string needs_contact;
    std::string needs_job;
    std::string expires_at;
    std::string payload;

    template <class Message>
    Message as() const {
        Message message;
        REQUIRE(message.ParseFromString(payload));
        return message;
    }
};

/// Who makes a request, and how.
struct request_options {
    std::optional<http::identity> caller = std::nullopt;
    std::string idempotency_key;
};

/// web-api's routes on a real PostgreSQL, without a network around them. Hashes passwords with the
/// least that Argon2id allows. The clock stands still until a test moves it.
class web_api_fixture {
public:
    explicit web_api_fixture(std::size_t connections = 4)
        : pool_(database.pool_settings(connections), metrics_, log::logger()) {}

    http::response call(const std::string& method, const std::string& target,
                        const std::string& body = "", const request_options& how = {}) {
        auto request = make_request(method, target, body, how);
        return test::await_on(loop_, answer(std::move(request)));
    }

    /// All at once: each is begun before any is waited for.
    std::vector<http::response> call_all(std::vector<http::request> requests) {
        std::vector<std::optional<http::response>> answers(requests.size());
        std::size_t open = requests.size();
        for (std::size_t i = 0; i < requests.size(); ++i) {
            boost::asio::co_spawn(
                loop_, answer(std::move(requests[i])),
                [&answers, &open, i](const std::exception_ptr& thrown, http::response got) {
                    REQUIRE_FALSE(thrown);
                    answers[i] = std::move(got);
                    open -= 1;
                });
        }
        loop_.restart();
        while (open > 0 && loop_.run_one() > 0) {}
        std::vector<http::response> all;
        for (auto& each : answers) {
            all.push_back(std::move(each.value()));
        }
        return all;
    }

    http::request make_request(const std::string& method, const std::string& target,
                               const std::string& body, const request_options& how = {}) const {
        http::request request;
        request.method = method;
        const auto question = std::min(target.find('?'), target.size());
        request.path = target.substr(0, question);
        request.query = target.substr(std::min(question + 1, target.size()));
        request.body = body;
        request.request_id = "test";
        request.trace = trace::context::start();
        request.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        request.caller = how.caller;
        if (!how.idempotency_key.empty()) {
            request.headers.set("Idempotency-Key", how.idempotency_key);
        }
        return request;
    }

    /// In the order in which they will be published; all, or those of one type.
    std::vector<sent_event> events(const std::string& type = "") const {
        const auto rows = database.query(
            "select regexp_replace(headers->>'ce_type', '.*[.]', ''), key, "
            "coalesce(headers->>'needs-contact-version', ''), "
            "coalesce(headers->>'needs-job-version', ''), coalesce(headers->>'expires-at', ''), "
            "translate(encode(value, 'base64'), E'+/=\\n', '-_') from outbox_event order by seq");
        std::vector<sent_event> found;
        for (const auto& row : rows) {
            const auto bytes = from_base64url(row[5]).value();
            if (type.empty() || row[0] == type) {
                found.push_back({row[0], row[1], row[2], row[3], row[4],
                                 std::string(bytes.begin(), bytes.end())});
            }
        }
        return found;
    }

    /// Runs a transaction, as a consumer does.
    template <class Work>
    auto transact(Work work) {
        return test::await_on(loop_, pool_.transact("test", work));
    }

    struct person {
        account_id account;
        std::string email;
        http::identity identity;
    };

    /// Registers somebody with an address that is new.
    person register_person(const std::string& email, const std::string& opt_ins = "[]") {
        const auto answered = call("POST", "/v1/accounts", registration(email, opt_ins));
        REQUIRE(answered.status == 202);
        const auto account = account_id::parse(database.value("select id from account_core where "
                                                              "email_canonical = '" +
                                                              email + "'"))
                                 .value();
        return {account, email, {account, session_id::make().text(), {"member"}, {}}};
    }

    static std::string registration(const std::string& email, const std::string& opt_ins = "[]") {
        return R"({"email":")" + email + R"(","display_name":"Anneke Peeters",)" +
               R"("password":"een lange zin","locale":"nl","opt_ins":)" + opt_ins + "}";
    }

    test::database database{{"web-api"}};
    manual_clock time{
        timestamp(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()))};

private:
    boost::asio::awaitable<http::response> answer(http::request request) {
        const auto found = router_.find(request.method, request.path);
        REQUIRE(found.route != nullptr);
        request.route = found.route->path;
        request.path_parameters = found.parameters;
        const auto answered = co_await found.route->handle(request);
        co_return answered ? *answered : http::problem(answered.error(), &request);
    }

    boost::asio::io_context loop_{1};
    metrics::registry metrics_;
    pg::pool pool_;
    web_api::password_hasher passwords_{{.threads = 2, .memory_kib = 8, .passes = 1}, metrics_};

public:
    web_api::dependencies with{.database = pool_,
                               .passwords = passwords_,
                               .time = time,
                               .mail_token_key = config::secret(std::string(32, 'k')),
                               .media_public_url = "https://media.example",
                               .registration_answer_after = std::chrono::milliseconds(0)};

private:
    http::router router_{web_api::routes(with)};
};

inline boost::json::object parse_object(const http::response& response) {
    return boost::json::parse(response.body).as_object();
}

/// For comparing with a member.
inline boost::json::string as_json(std::string_view text) {
    return {text};
}

/// The stable end of a problem's type.
inline std::string slug_of(const http::response& response) {
    const auto type = std::string(parse_object(response).at("type").as_string());
    return type.substr(type.rfind('/') + 1);
}

/// Slug and pointer of a problem's first entry: "unknown-field /nickname".
inline std::string first_problem(const http::response& response) {
    const auto body = parse_object(response);
    const auto& first = body.at("errors").as_array().at(0).as_object();
    return std::string(first.at("slug").as_string()) + " " +
           std::string(first.at("pointer").as_string());
}

} // namespace relais::test
