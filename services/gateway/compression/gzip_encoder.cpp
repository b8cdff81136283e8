#include "gateway/compression/encoder.hpp"

#include <zlib.h>

namespace relais::gateway {
namespace {

constexpr int window_bits = 15;
constexpr int gzip_format = 16; // added to the window's bits
constexpr int memory_level = 8;

class gzip_encoder final : public encoder {
public:
    bool open(int level) {
        ready_ = ::deflateInit2(&stream_, level, Z_DEFLATED, window_bits + gzip_format,
                                memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
        return ready_;
    }

    ~gzip_encoder() override {
        if (ready_) {
            ::deflateEnd(&stream_);
        }
    }

    void begin() override {
        ::deflateReset(&stream_);
    }

    step run(std::string_view input, std::span<char> room, aim what) override {
        // zlib's type says that it writes here; it does not.
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        stream_.avail_in = static_cast<uInt>(input.size());
        stream_.next_out = reinterpret_cast<Bytef*>(room.data());
        stream_.avail_out = static_cast<uInt>(room.size());
        const int mode = what == aim::more    ? Z_NO_FLUSH
                         : what == aim::flush ? Z_SYNC_FLUSH
                                              : Z_FINISH;
        const int outcome = ::deflate(&stream_, mode);
        const bool all_out = what == aim::finish ? outcome == Z_STREAM_END : stream_.avail_out > 0;
        return {input.size() - stream_.avail_in, room.size() - stream_.avail_out,
                stream_.avail_in == 0 && all_out};
    }

private:
    z_stream stream_{};
    bool ready_ = false;
};

} // namespace

std::unique_ptr<encoder> make_gzip_encoder(int level) {
    auto made = std::make_unique<gzip_encoder>();
    return made->open(level) ? std::move(made) : nullptr;
}

} // namespace relais::gateway
