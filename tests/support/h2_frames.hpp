#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relais::test::h2 {

/// Frames as bytes, also such as no library makes.
enum type : std::uint8_t {
    data = 0,
    headers = 1,
    priority = 2,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    goaway = 7,
    window_update = 8,
    continuation = 9,
};

inline constexpr std::uint8_t end_stream = 1;
inline constexpr std::uint8_t ack = 1;
inline constexpr std::uint8_t end_headers = 4;
inline constexpr std::uint8_t padded = 8;

using field_list = std::vector<std::pair<std::string, std::string>>;

/// Four bytes, the highest first.
std::string number(std::uint32_t value);

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload);

/// A header block of literals that no table keeps.
std::string block(const field_list& fields);

/// GET (or another method) of the path on authority "a".
field_list request(const std::string& path, const std::string& method = "GET");

/// What a client sends first: the preface and empty SETTINGS.
std::string hello();

/// A whole request without a body.
std::string get(std::uint32_t stream, const std::string& path = "/");

struct received_frame {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string payload;

    /// Of RST_STREAM and GOAWAY.
    std::uint32_t error_code() const;
};

/// The frame at the beginning of the buffer, taken off; false: it is not whole.
bool take_frame(std::string& buffer, received_frame& out);

/// A blocking client of bare frames on a connected socket, which it closes at the end. Waits ten
/// seconds at most.
class raw_client {
public:
    explicit raw_client(int socket);
    ~raw_client();
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;

    /// False when the other side takes no more of it.
    bool send(std::string_view bytes) const;

    /// The next frame; false when the connection ended or nothing came.
    bool next(received_frame& out);

    /// Reads up to a frame of this type (its stream, too, unless 0); false: there is none.
    bool next_of(std::uint8_t type, received_frame& out, std::uint32_t stream = 0);

    /// Reads to the end: the code of the last GOAWAY, or -1 when there was none.
    std::int64_t goaway_code();

    /// Whether the other side has closed (waits for that).
    bool closed_by_peer();

    int descriptor() const {
        return socket_;
    }

private:
    bool read_some();

    int socket_;
    std::string buffer_;
};

/// Connects to a port on loopback.
int connect_to(std::uint16_t port);

} // namespace relais::test::h2
