#pragma once

#include "result/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What service and picture worker say to each other over the worker's standard input and output.
/// A frame is one letter, a length (4 bytes, big-endian) and that many bytes. A request is `R` (the
/// recipe, lines of name=value) and `P` (the picture); an answer is any number of `V` (a variant)
/// and then `D` (done, with the facts) or `X` (refused, with a reason). Both sides send all and
/// close.
namespace relais::upload {

/// How a picture's variants are made, and what it may cost to make them.
struct recipe {
    std::string content_type;         ///< of the picture, as its first bytes say
    std::uint64_t pixels_max = 0;     ///< width × height × pages
    bool square = false;              ///< cut to the middle square; else fit inside size × size
    std::uint32_t quality = 80;       ///< of WebP, 1 to 100
    std::vector<std::uint32_t> sizes; ///< ascending; the longest side of each variant

    friend bool operator==(const recipe&, const recipe&) = default;
};

struct picture_request {
    upload::recipe recipe;
    std::string picture;
};

struct made_variant {
    std::uint32_t size = 0; ///< the one asked for; width and height may be less, never more
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::string webp;
};

struct picture_facts {
    std::string loader; ///< libvips' name of the decoder that read it
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint32_t pages = 0;
};

/// Either a reason (then nothing else) or facts and variants.
struct picture_answer {
    std::string reason;
    picture_facts facts;
    std::vector<made_variant> variants;
};

inline constexpr std::size_t picture_max_bytes = std::size_t{64} * 1024 * 1024;
inline constexpr std::size_t answer_max_bytes = std::size_t{16} * 1024 * 1024;

std::string write_request(const picture_request& request);
/// Error: `invalid` / "bad-frames".
result<picture_request> read_request(std::string_view bytes);

std::string write_answer(const picture_answer& answer);
/// The worker handled a stranger's bytes, so its answer is checked too: known sizes in their order,
/// each once, no side longer than asked for, WebP content, nothing after the end. Error: `invalid`
/// / "bad-frames".
result<picture_answer> read_answer(std::string_view bytes, const recipe& asked);

} // namespace relais::upload
