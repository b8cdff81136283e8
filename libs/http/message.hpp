#pragma once

#include "clock/clock.hpp"
#include "events/event.hpp"
#include "ids/id.hpp"
#include "result/result.hpp"
#include "trace/context.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relais::http {

/// Header fields in order; names compare without case. Values are checked when set: CR, LF and NUL
/// never get in (set() drops such a value and asserts).
class fields {
public:
    using entry = std::pair<std::string, std::string>;

    void add(std::string name, std::string value);
    void set(std::string name, std::string value); ///< replaces all of that name
    void remove(std::string_view name);
    std::optional<std::string_view> find(std::string_view name) const; ///< the first
    bool has(std::string_view name) const;
    std::size_t count(std::string_view name) const;

    const std::vector<entry>& all() const {
        return entries_;
    }

private:
    std::vector<entry> entries_;
};

/// Who calls, as the gateway found out (libs/http/identity.hpp).
struct identity {
    account_id account;
    std::string credential_id; ///< session or API key
    std::vector<std::string> roles;
    std::chrono::sys_seconds authenticated_at{};

    bool has_role(std::string_view role) const;
};

/// A request that passed the strict gate.
struct request {
    std::string method;
    std::string
        path; ///< normalised: no dot segments, no empty segments, percent-decoded unreserved
    std::string query; ///< raw, without '?'
    http::fields headers;
    std::string body;
    std::string peer_address;
    std::string request_id;
    trace::context trace;
    std::chrono::steady_clock::time_point deadline;
    std::optional<identity> caller;
    std::string route; ///< the route's template: "/v1/jobs/{id}"
    std::map<std::string, std::string, std::less<>> path_parameters;

    std::string_view header(std::string_view name) const; ///< empty when absent
    /// Decoded query parameter. A parameter given twice or badly encoded: `invalid`.
    result<std::optional<std::string>> query_parameter(std::string_view name) const;
    const std::string& path_parameter(std::string_view name) const;

    /// The cause for events that this request makes happen.
    events::cause cause() const;
};

struct response {
    int status = 200;
    http::fields headers;
    std::string body;
    /// Set: more of the body comes behind it, piece by piece, until an empty piece. The answer has
    /// no length then and ends with its connection. For pages that stay open (Server-Sent Events);
    /// what it refers to must outlive the server.
    std::function<boost::asio::awaitable<std::string>()> more;

    static response empty(int status);
    static response json(int status, std::string body);
    static response text(int status, std::string body, std::string content_type);
};

/// The problem document (RFC 9457) for an error: status from the kind (and for a few protocol
/// slugs, such as "malformed-json" → 400, from a table), Retry-After where the error has one and
/// with every 503 and 504.
response problem(const error& failed, const request* about);
/// Several errors at once (validation): status of the first; all of them in `errors`.
response problem(const std::vector<error>& failed, const request* about);

} // namespace relais::http
