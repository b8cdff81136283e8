#include "gateway/channel/framed_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace relais::gateway {
namespace {

constexpr std::string_view chunk_end = "\r\n";
constexpr std::string_view last_chunk = "\r\n0\r\n\r\n";
constexpr std::string_view only_last_chunk = "0\r\n\r\n";
constexpr std::size_t joined_max = 768;
constexpr std::size_t text_kept_max = 2 * joined_max; ///< a string doubles

/// Takes what was written off the front of a piece; gives what is left of the count.
std::size_t take_off(std::string_view& piece, std::size_t count) {
    const auto taken = std::min(count, piece.size());
    piece.remove_prefix(taken);
    return count - taken;
}

} // namespace

sent framed_writer::send(channel& to, std::string_view piece, bool last, bool chunked) {
    piece_ = piece;
    if (chunked && !piece.empty()) {
        std::array<char, 18> size{};
        const auto [end, failed] =
            std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16);
        text_.append(size.data(), end);
        text_ += "\r\n";
        end_ = last ? last_chunk : chunk_end;
    } else if (chunked && last) {
        end_ = only_last_chunk;
    }
    if (!text_.empty() && text_.size() + piece_.size() + end_.size() <= joined_max) {
        text_.append(piece_).append(end_);
        piece_ = end_ = {};
    }
    return flush(to);
}

sent framed_writer::flush(channel& to) {
    if (empty()) {
        return sent::whole;
    }
    const auto text = std::string_view(text_).substr(text_done_);
    const std::array<std::string_view, 3> pieces{text, piece_, end_};
    const auto [count, broken] = to.write(pieces);
    if (broken) {
        return sent::broken;
    }
    auto rest = count;
    if (rest < text.size()) {
        text_done_ += rest;
        return sent::waiting;
    }
    rest -= text.size();
    text_.clear();
    text_done_ = 0;
    rest = take_off(piece_, rest);
    take_off(end_, rest);
    return empty() ? sent::whole : sent::waiting;
}

void framed_writer::reset() {
    text_done_ = 0;
    piece_ = end_ = {};
    text_.clear();
    if (text_.capacity() > text_kept_max) {
        text_.shrink_to_fit();
    }
}

} // namespace relais::gateway
