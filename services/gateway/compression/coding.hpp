#pragma once

#include "http/gate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace relais::gateway {

/// How content is coded (RFC 9110 §8.4.1).
enum class coding : std::uint8_t { identity, gzip, brotli, zstd };

inline constexpr std::size_t codings_count = 4;

/// "gzip", "br", "zstd"; "identity".
std::string_view to_string(coding which);

/// What the name of a file that is coded so ends in: ".br".
std::string_view extension_of(coding which);

std::optional<coding> coding_named(std::string_view name);

/// What a request says in Accept-Encoding.
class accepted_codings {
public:
    /// All fields of that name together. Members that are not understood are not accepted.
    static accepted_codings of(const http::request_head& head);
    /// The value of one field.
    static accepted_codings parse(std::string_view value);

    /// The best of those that can be had, which are in order of our preference; identity when none
    /// of them is accepted, or the client likes identity better.
    coding best(std::span<const coding> offered) const;

private:
    void add(std::string_view value);
    int weight(coding which) const;

    static constexpr int not_said = -1;
    std::array<int, codings_count> weights_{not_said, not_said, not_said, not_said}; ///< ‰
    int others_ = not_said;                                                          ///< of "*"
};

} // namespace relais::gateway
