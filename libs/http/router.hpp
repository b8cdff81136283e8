#pragma once

#include "http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace relais::http {

using handler = std::function<boost::asio::awaitable<result<response>>(const request&)>;

/// What a route demands before its handler runs.
enum class access {
    open,     ///< anybody
    account,  ///< a signed identity; else 401
    role,     ///< an identity with route::role; else 401 or 403
    internal, ///< the gateway or the operator only: a request without x-forwarded-for
};

/// One line of a service's route table.
struct route {
    std::string method;
    std::string path; ///< template: "/v1/jobs/{id}/offers"
    http::handler handle;
    http::access access = http::access::open;
    std::string role;
    std::size_t body_max = std::size_t{64} * 1024;
    /// What a body must be, else 415; "" takes any (webhooks).
    std::string body_type = "application/json";
    std::chrono::milliseconds deadline{10'000};
};

/// Finds routes by method and path. Built once from the table; duplicates are a bug (throws).
class router {
public:
    explicit router(std::vector<route> table);

    struct match {
        const http::route* route = nullptr; ///< nullptr: see allowed
        std::map<std::string, std::string, std::less<>> parameters;
        std::vector<std::string> allowed; ///< methods that the path has (405), empty: 404
    };

    match find(std::string_view method, std::string_view path) const;

    const std::vector<route>& table() const {
        return table_;
    }

private:
    std::vector<route> table_;
};

} // namespace relais::http
