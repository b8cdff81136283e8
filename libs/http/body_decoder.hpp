#pragma once

#include "http/gate.hpp"

namespace relais::http {

/// Takes a message's body out of the bytes behind its head, whatever its framing. Keeps no bytes.
class body_decoder {
public:
    using step = chunked_decoder::step;

    /// No body: finished from the start.
    body_decoder() = default;

    body_decoder(http::framing kind, std::uint64_t bytes) : kind_(kind), left_(bytes) {}

    /// The next piece of the body in the input; call until finished() or the input is used up.
    /// Bytes behind the body are not consumed. Error: as chunked_decoder.
    result<step> feed(std::string_view input);

    bool finished() const;

    /// Whether the body ends properly when the connection does.
    bool ends_with_connection() const {
        return kind_ == framing::until_close;
    }

private:
    http::framing kind_ = framing::none;
    std::uint64_t left_ = 0;
    chunked_decoder chunks_;
};

} // namespace relais::http
