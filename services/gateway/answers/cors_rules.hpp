#pragma once

#include "gateway/client/client_side.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// An Origin that rules name: exactly, or every host below one.
struct origin_pattern {
    std::string scheme; ///< with "://"; empty: `rest` is the whole origin
    std::string rest;   ///< the origin, or ".example" with the port

    bool matches(std::string_view origin) const;
};

/// Whose pages may use a route: CORS as the Fetch standard has it. Made when the configuration is
/// read.
class cors_rules {
public:
    struct settings {
        std::vector<std::string> origins;
        std::vector<std::string> methods;
        std::vector<std::string> request_headers;
        std::vector<std::string> exposed_headers;
        bool credentials = false;
        std::chrono::seconds max_age{0};
    };

    /// What is wrong with them; empty: nothing.
    static std::vector<std::string> problems(const settings& given);

    explicit cors_rules(const settings& given);

    bool allows(std::string_view origin) const;

    /// Fields of the answer to a request from this origin (empty: it named none, or one that is not
    /// allowed). `origin` outlives the answer.
    void apply(std::string_view origin, answer_head& to) const;

    /// Fields of the answer to a preflight from an origin that is allowed. `asked`: the value of
    /// its Access-Control-Request-Headers. Both views outlive the answer.
    void apply_preflight(std::string_view origin, std::string_view asked, answer_head& to) const;

private:
    void allow_origin(std::string_view origin, answer_head& to) const;

    bool anybody_ = false;
    bool credentials_ = false;
    bool any_header_ = false;
    std::vector<origin_pattern> origins_;
    std::string methods_;
    std::string headers_;
    std::string exposed_;
    std::string max_age_;
};

/// Whether a request is a preflight: it asks for what another one may do.
bool is_preflight(const http::request_head& head);

/// The method that a preflight asks for; empty: it asks for none.
std::string_view preflight_method(const http::request_head& head);

} // namespace relais::gateway
