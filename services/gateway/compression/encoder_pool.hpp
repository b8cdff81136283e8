#pragma once

#include "gateway/compression/encoder.hpp"

#include <memory>
#include <vector>

namespace relais::gateway {

/// The encoders of one event loop, kept for the next stream: making one costs more than a small
/// answer. Bounded: when so many streams are compressed at a time, others are sent as they are.
class encoder_pool {
public:
    /// Held as long as a stream lasts; gives the encoder back.
    class lease {
    public:
        lease() = default;

        lease(encoder_pool& from, std::unique_ptr<encoder> held, coding which, int level)
            : from_(&from), held_(std::move(held)), which_(which), level_(level) {}

        ~lease() {
            give_back();
        }

        lease(lease&& other) noexcept = default;

        lease& operator=(lease&& other) noexcept {
            give_back();
            from_ = other.from_;
            held_ = std::move(other.held_);
            which_ = other.which_;
            level_ = other.level_;
            return *this;
        }

        encoder* get() const {
            return held_.get();
        }

        void give_back();

    private:
        encoder_pool* from_ = nullptr;
        std::unique_ptr<encoder> held_;
        coding which_ = coding::identity;
        int level_ = 0;
    };

    /// Ready for a stream; empty when all are in use, or there is no memory.
    lease take(coding which, int level);

private:
    static constexpr std::size_t used_max = 256;
    static constexpr std::size_t kept_max = 32;

    struct idle {
        std::unique_ptr<encoder> held;
        coding which;
        int level;
    };

    std::vector<idle> idle_;
    std::size_t used_ = 0;
};

} // namespace relais::gateway
