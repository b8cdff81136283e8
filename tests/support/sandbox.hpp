#pragma once

#include "rest/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <string>

namespace relais::test {

/// The provider sandbox's API for tests (tests/sandbox), found through RELAIS_TEST_SANDBOX.
/// Every call throws std::runtime_error when the sandbox refuses it.
class sandbox {
public:
    sandbox();
    ~sandbox();

    /// "http://127.0.0.1:9452" for "brevo".
    std::string url_of(std::string_view provider);

    boost::asio::awaitable<boost::json::value> get(std::string path);
    boost::asio::awaitable<boost::json::value> post(std::string path, boost::json::value body);

    /// Scripts a fault for the next `times` requests of a provider whose "METHOD path" matches.
    boost::asio::awaitable<void> fault(std::string provider, std::string route, std::string kind,
                                       int times, int status = 500);
    boost::asio::awaitable<void> clear_faults();

    /// Waits until the sandbox has as many contacts with this address on any list.
    boost::asio::awaitable<boost::json::value> wait_for_contact(std::string email, int count);

private:
    boost::asio::awaitable<boost::json::value> send(rest::call what);

    metrics::registry metrics_;
    rest::client client_;
};

} // namespace relais::test
