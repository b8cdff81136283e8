#pragma once

#include "gateway/compression/coding.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace relais::gateway {

/// Compresses one stream at a time. Its memory is bounded whatever the stream's length.
class encoder {
public:
    enum class aim {
        more,  ///< take the input; keep what compresses better together
        flush, ///< and give out everything that was taken
        finish ///< and end the stream
    };

    struct step {
        std::size_t taken = 0;
        std::size_t given = 0;
        bool reached = false; ///< the input is used up and, for flush and finish, nothing is inside
    };

    encoder() = default;
    encoder(const encoder&) = delete;
    encoder& operator=(const encoder&) = delete;
    virtual ~encoder() = default;

    /// For the next stream.
    virtual void begin() = 0;
    /// Until the input is used up or the room is; call again with more of either until `reached`.
    virtual step run(std::string_view input, std::span<char> room, aim what) = 0;
};

/// Levels as the libraries have them: 1 to 9, 0 to 11, 1 to 19. Null: no memory.
std::unique_ptr<encoder> make_gzip_encoder(int level);
std::unique_ptr<encoder> make_brotli_encoder(int level);
std::unique_ptr<encoder> make_zstd_encoder(int level);

} // namespace relais::gateway
