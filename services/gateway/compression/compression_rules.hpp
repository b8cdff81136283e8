#pragma once

#include "gateway/client/client_side.hpp"
#include "gateway/compression/coding.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// Which answers of a route are compressed, and how. Made when the configuration is read.
class compression_rules {
public:
    struct settings {
        std::vector<std::string> types;
        std::uint64_t bytes_min = 0;
        std::vector<std::string> codings;
        std::uint32_t gzip_level = 0;
        std::uint32_t brotli_level = 0;
        std::uint32_t zstd_level = 0;
    };

    /// What is wrong with them; empty: nothing.
    static std::vector<std::string> problems(const settings& given);

    explicit compression_rules(const settings& given);

    /// Whether the answer would be compressed for a client that accepts a coding: its type is
    /// listed, it is not too small, and nothing in it forbids that.
    bool cover(const answer_head& head) const;

    coding choose(const accepted_codings& accepted) const {
        return accepted.best(offered_);
    }

    int level(coding which) const {
        return levels_[static_cast<std::size_t>(which)];
    }

private:
    bool lists(std::string_view content_type) const;

    std::vector<std::string> types_; ///< in lower case, sorted
    std::uint64_t bytes_min_;
    std::vector<coding> offered_;
    std::array<int, codings_count> levels_{};
};

} // namespace relais::gateway
