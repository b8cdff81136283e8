#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The strict gate: the only code of the suite that turns bytes of HTTP/1.x into messages. Pure
/// functions over bytes, incremental (call again with more) and bounded. What is doubtful is
/// refused, because two readers of doubtful framing disagree, and that is how requests are
/// smuggled. The table of what is refused is tests/edge/vectors. Sources: RFC 9110, RFC
/// 9112, RFC 3986.
namespace relais::http {

struct gate_limits {
    std::size_t head_bytes_max = std::size_t{16} * 1024; ///< start line and fields
    std::size_t target_bytes_max = std::size_t{8} * 1024;
    std::size_t fields_max = 100;
    std::size_t name_bytes_max = 256;
};

/// A field as it stands in the buffer; value without the blanks around it.
struct field_view {
    std::string_view name;
    std::string_view value;
};

enum class framing {
    none,           ///< no body
    content_length, ///< body_bytes of it
    chunked,        ///< see chunked_decoder; in HTTP/2 any body of unknown length
    until_close,    ///< answers only
};

/// A request's head. Views point into the buffer that was parsed; path is a copy. May be reused for
/// the next request, which keeps its memory.
struct request_head {
    std::string_view method; ///< one of GET HEAD POST PUT PATCH DELETE OPTIONS; not in the buffer
    std::string path;        ///< normalised (http/target.hpp); "*" for OPTIONS *
    std::string_view query;  ///< checked, without '?'
    bool has_query = false;
    std::string_view
        host; ///< of an absolute target, else of the Host field; may be empty for HTTP/1.0
    /// In order of arrival. Never in here: names with '_' (readers that follow CGI take them for
    /// '-').
    std::vector<field_view> fields;
    int version_major = 1; ///< 2: see read_h2_request()
    int version_minor = 1;
    http::framing framing = http::framing::none;
    std::uint64_t body_bytes = 0; ///< for framing::content_length
    bool keep_alive = true;
    bool expect_continue = false;
    bool upgrade = false; ///< asks for another protocol; whoever does not know it just goes on

    std::optional<std::string_view> find(std::string_view name) const; ///< the first
};

/// An answer's head; views as above.
struct response_head {
    int status = 0;
    std::string_view reason;
    std::vector<field_view> fields;
    int version_minor = 1;
    http::framing framing = http::framing::none;
    std::uint64_t body_bytes = 0; ///< for framing::content_length
    /// The Content-Length field, which an answer to HEAD and a 304 may have without a body.
    std::optional<std::uint64_t> content_length;
    bool keep_alive = true;

    std::optional<std::string_view> find(std::string_view name) const;
};

/// Parses a head at the beginning of the buffer. Gives the bytes it took, or 0: more are needed
/// (the buffer is within the limits and nothing wrong so far). After an error the connection is
/// closed: where the next message begins is not known. Errors, with the status that answers them:
/// `invalid` / "malformed-request" 400, "uri-too-long" 414, "expectation-failed" 417,
/// "header-too-large" 431, "not-implemented" 400, "unknown-method" 501, "version-not-supported"
/// 400.
result<std::size_t> parse_request_head(std::string_view buffer, const gate_limits& limits,
                                       request_head& head);

/// The same for an answer to a request with this method. Error: `internal` / "malformed-answer"
/// with the reason in detail. An interim answer (1xx) is one too: framing none, parse again behind
/// it.
result<std::size_t> parse_response_head(std::string_view buffer, const gate_limits& limits,
                                        std::string_view request_method, response_head& head);

struct chunk_limits {
    std::size_t extension_bytes_max = 256;   ///< of one chunk
    std::size_t extensions_bytes_max = 4096; ///< of the whole body
    std::size_t trailer_bytes_max = 8192;
    std::size_t trailers_max = 32;
};

/// Takes a chunked body apart. Trailers are checked and dropped: nobody may smuggle a Host or an
/// Authorization in behind the body. Knows nothing of the body's size: the caller counts.
class chunked_decoder {
public:
    explicit chunked_decoder(chunk_limits limits = {}) : limits_(limits) {}

    struct step {
        std::size_t consumed = 0; ///< bytes of the input that are done with
        std::string_view data;    ///< a piece of the body, inside the consumed bytes
        bool finished = false;    ///< the body ended; what follows belongs to the next message
    };

    /// Goes on until there is data, the end, or no input. Call again while input is left.
    /// Error: `invalid` / "malformed-request".
    result<step> feed(std::string_view input);

    bool finished() const {
        return state_ == state::finished;
    }

private:
    enum class state : std::uint8_t {
        size_first,
        size,
        extension,
        size_line_feed,
        data,
        data_return,
        data_line_feed,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_line_feed,
        last_line_feed,
        finished
    };

    std::string_view take_byte(char byte);
    std::string_view size_byte(char byte);
    std::string_view trailer_byte(char byte);
    void end_size_line();

    chunk_limits limits_;
    state state_ = state::size_first;
    std::uint64_t left_ = 0; ///< of the current chunk, or the size being read
    unsigned digits_ = 0;
    std::size_t extension_bytes_ = 0;
    std::size_t extensions_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
    std::size_t trailers_ = 0;
};

} // namespace relais::http
