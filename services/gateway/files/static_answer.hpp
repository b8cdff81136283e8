#pragma once

#include "gateway/client/client_side.hpp"
#include "gateway/files/body_source.hpp"
#include "gateway/files/file_conditions.hpp"
#include "gateway/files/file_shelf.hpp"
#include "http/gate.hpp"

#include <chrono>
#include <string>

namespace relais::gateway {

/// The answer to one request for a file. Reused from request to request.
class static_answer {
public:
    explicit static_answer(block_pool& blocks) : body_(blocks) {}

    /// Writes the head but for Date and what is the route's, and gets the body ready; the head's
    /// views live until end(). False: the file cannot be read at the moment.
    bool begin(const static_rules& rules, const file_shelf::found& found,
               const http::request_head& asked, file_shelf& shelf, answer_head& to);

    body_source& body() {
        return body_;
    }

    void end();

private:
    void redirect(const http::request_head& asked, answer_head& to);
    void write_part(const byte_range& part, std::uint64_t bytes, answer_head& to);

    body_source body_;
    file_shelf::file file_; // shared with the shelf, as long as it is sent
    std::string text_;
};

} // namespace relais::gateway
