#include "gateway/compression/encoder.hpp"

#include <brotli/encode.h>

namespace relais::gateway {
namespace {

/// 256 KiB of history: larger windows gain little on pages and cost memory in each stream.
constexpr std::uint32_t window_bits = 18;

class brotli_encoder final : public encoder {
public:
    explicit brotli_encoder(int level) : level_(static_cast<std::uint32_t>(level)) {}

    bool open() {
        state_.reset(::BrotliEncoderCreateInstance(nullptr, nullptr, nullptr));
        if (state_ == nullptr) {
            return false;
        }
        ::BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, level_);
        ::BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_LGWIN, window_bits);
        return true;
    }

    /// Made for one stream: the library cannot begin anew with a state that was used.
    void begin() override {}

    step run(std::string_view input, std::span<char> room, aim what) override {
        std::size_t in_left = input.size();
        std::size_t out_left = room.size();
        const auto* from = reinterpret_cast<const std::uint8_t*>(input.data());
        auto* to = reinterpret_cast<std::uint8_t*>(room.data());
        const auto operation = what == aim::more    ? BROTLI_OPERATION_PROCESS
                               : what == aim::flush ? BROTLI_OPERATION_FLUSH
                                                    : BROTLI_OPERATION_FINISH;
        ::BrotliEncoderCompressStream(state_.get(), operation, &in_left, &from, &out_left, &to,
                                      nullptr);
        const bool all_out = what == aim::finish
                                 ? ::BrotliEncoderIsFinished(state_.get()) == BROTLI_TRUE
                                 : ::BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_FALSE;
        return {input.size() - in_left, room.size() - out_left, in_left == 0 && all_out};
    }

private:
    struct destroy {
        void operator()(BrotliEncoderState* state) const {
            ::BrotliEncoderDestroyInstance(state);
        }
    };

    std::uint32_t level_;
    std::unique_ptr<BrotliEncoderState, destroy> state_;
};

} // namespace

std::unique_ptr<encoder> make_brotli_encoder(int level) {
    auto made = std::make_unique<brotli_encoder>(level);
    return made->open() ? std::move(made) : nullptr;
}

} // namespace relais::gateway
