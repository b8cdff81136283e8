#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

namespace relais::gateway {

/// Cuts a stream given in pieces into the contents of records. What lies in one piece is not
/// copied; what spans several is joined. Inside this folder only.
class record_pieces {
public:
    explicit record_pieces(std::span<const std::string_view> pieces) : pieces_(pieces) {
        skip_empty();
    }

    bool empty() const {
        return pieces_.empty();
    }

    /// The next bytes, at most `size` and at most `space.size()`, at least one. Not when empty().
    std::string_view next(std::size_t size, std::span<char> space) {
        size = std::min(size, space.size());
        const auto here = pieces_.front().substr(used_, size);
        const bool is_last = pieces_.size() == 1;
        if (here.size() == size || is_last) {
            advance(here.size());
            return here;
        }
        std::size_t joined = 0;
        while (!pieces_.empty() && joined < size) {
            const auto part = pieces_.front().substr(used_, size - joined);
            std::memcpy(space.data() + joined, part.data(), part.size());
            joined += part.size();
            advance(part.size());
        }
        return {space.data(), joined};
    }

private:
    void advance(std::size_t count) {
        used_ += count;
        skip_empty();
    }

    void skip_empty() {
        while (!pieces_.empty() && used_ == pieces_.front().size()) {
            pieces_ = pieces_.subspan(1);
            used_ = 0;
        }
    }

    std::span<const std::string_view> pieces_;
    std::size_t used_ = 0; ///< of the first piece
};

} // namespace relais::gateway
