#include "gateway/compression/encoder.hpp"

#include <zstd.h>

namespace relais::gateway {
namespace {

/// 512 KiB of history; readers need accept no more than 8 MiB (RFC 9659).
constexpr int window_bits = 19;

class zstd_encoder final : public encoder {
public:
    bool open(int level) {
        if (context_ == nullptr) {
            return false;
        }
        ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
        ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_bits);
        return true;
    }

    void begin() override {
        ::ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only);
    }

    step run(std::string_view input, std::span<char> room, aim what) override {
        ZSTD_inBuffer from{input.data(), input.size(), 0};
        ZSTD_outBuffer to{room.data(), room.size(), 0};
        const auto mode = what == aim::more    ? ZSTD_e_continue
                          : what == aim::flush ? ZSTD_e_flush
                                               : ZSTD_e_end;
        const auto left = ::ZSTD_compressStream2(context_.get(), &to, &from, mode);
        const bool all_out = what == aim::more || left == 0;
        return {from.pos, to.pos, from.pos == input.size() && all_out};
    }

private:
    struct destroy {
        void operator()(ZSTD_CCtx* context) const {
            ::ZSTD_freeCCtx(context);
        }
    };

    std::unique_ptr<ZSTD_CCtx, destroy> context_{::ZSTD_createCCtx()};
};

} // namespace

std::unique_ptr<encoder> make_zstd_encoder(int level) {
    auto made = std::make_unique<zstd_encoder>();
    return made->open(level) ? std::move(made) : nullptr;
}

} // namespace relais::gateway
