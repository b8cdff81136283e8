#include "support/sandbox.hpp"

#include "support/environment.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace asio = boost::asio;
namespace json = boost::json;

namespace relais::test {
namespace {

constexpr std::chrono::seconds longest_call{30};

} // namespace

sandbox::sandbox() : client_({variable("RELAIS_TEST_SANDBOX"), "sandbox"}, metrics_, {}) {}

sandbox::~sandbox() {
    client_.stop();
}

std::string sandbox::url_of(std::string_view provider) {
    // The ports are offsets from that of the web page (tests/sandbox/README.md).
    const auto web = variable("RELAIS_TEST_SANDBOX");
    const auto colon = web.rfind(':');
    const int offset = provider == "mailjet"     ? 1
                       : provider == "brevo"     ? 2
                       : provider == "onesignal" ? 3
                       : provider == "slack"     ? 4
                                                 : 5;
    if (provider == "smtp") {
        return fmt::format("smtp://127.0.0.1:{}", std::stoi(web.substr(colon + 1)) + offset);
    }
    return fmt::format("{}:{}", web.substr(0, colon), std::stoi(web.substr(colon + 1)) + offset);
}

asio::awaitable<json::value> sandbox::send(rest::call what) {
    const std::string named = what.method + " " + what.target;
    what.timeout = longest_call;
    const auto where = trace::context::start();
    const auto answer = co_await client_.send(std::move(what), where);
    if (!answer || answer->status >= 400) {
        throw std::runtime_error(fmt::format("sandbox: {}: {}", named,
                                             answer ? answer->body : answer.error().reason.detail));
    }
    co_return json::parse(answer->body);
}

asio::awaitable<json::value> sandbox::get(std::string path) {
    co_return co_await send({"GET", "/__sim" + path, {}, ""});
}

asio::awaitable<json::value> sandbox::post(std::string path, json::value body) {
    co_return co_await send({"POST", "/__sim" + path, {}, json::serialize(body)});
}

asio::awaitable<void> sandbox::fault(std::string provider, std::string route, std::string kind,
                                     int times, int status) {
    const json::value script{{"provider", provider},
                             {"route", route},
                             {"fault", kind},
                             {"times", times},
                             {"status", status}};
    co_await post("/faults", script);
}

asio::awaitable<void> sandbox::clear_faults() {
    co_await send({"DELETE", "/__sim/faults", {}, ""});
}

asio::awaitable<json::value> sandbox::wait_for_contact(std::string email, int count) {
    co_return co_await get(
        fmt::format("/contacts/wait?email={}&list=any&count={}&timeout=20", email, count));
}

} // namespace relais::test
