#include "http/gate.hpp"
#include "http/tokens.hpp"
#include "ids/encoding.hpp"

#include <algorithm>

namespace relais::http {
namespace {

constexpr unsigned size_digits_max = 15; // below 2^60

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

} // namespace

void chunked_decoder::end_size_line() {
    digits_ = 0;
    extension_bytes_ = 0;
    state_ = left_ == 0 ? state::trailer_start : state::data;
}

/// Each takes one byte and gives what is wrong with it, or nothing.
std::string_view chunked_decoder::size_byte(char byte) {
    if (state_ == state::size_line_feed) {
        if (byte != '\n') {
            return "a CR without LF behind a chunk's size";
        }
        end_size_line();
        return {};
    }
    if (state_ == state::extension) {
        if (byte == '\r') {
            state_ = state::size_line_feed;
            return {};
        }
        // An LF or NUL in a quoted extension is the end of the line for some readers.
        if (is_control(byte)) {
            return "a control character in a chunk extension";
        }
        ++extension_bytes_;
        ++extensions_bytes_;
        return extension_bytes_ > limits_.extension_bytes_max ||
                       extensions_bytes_ > limits_.extensions_bytes_max
                   ? "chunk extensions are too long"
                   : std::string_view();
    }
    if (const int digit = hex_value(byte); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        state_ = state::size;
        return ++digits_ > size_digits_max ? "a chunk's size is too large" : std::string_view();
    }
    if (state_ == state::size && byte == ';') {
        state_ = state::extension;
        return {};
    }
    if (state_ == state::size && byte == '\r') {
        state_ = state::size_line_feed;
        return {};
    }
    return "a chunk's size is not hexadecimal";
}

std::string_view chunked_decoder::trailer_byte(char byte) {
    if (++trailer_bytes_ > limits_.trailer_bytes_max) {
        return "trailers are too long";
    }
    switch (state_) {
    case state::trailer_start:
        if (byte == '\r') {
            state_ = state::last_line_feed;
            return {};
        }
        if (++trailers_ > limits_.trailers_max) {
            return "too many trailers";
        }
        state_ = state::trailer_name;
        return is_token_byte(static_cast<unsigned char>(byte)) ? std::string_view()
                                                               : "a trailer without a name";
    case state::trailer_name:
        if (byte == ':') {
            state_ = state::trailer_value;
            return {};
        }
        return is_token_byte(static_cast<unsigned char>(byte)) ? std::string_view()
                                                               : "a trailer's name is not one";
    case state::trailer_value:
        if (byte == '\r') {
            state_ = state::trailer_line_feed;
            return {};
        }
        return is_control(byte) ? "a control character in a trailer" : std::string_view();
    case state::trailer_line_feed:
        state_ = state::trailer_start;
        return byte == '\n' ? std::string_view() : "a CR without LF in a trailer";
    default:
        if (byte != '\n') {
            return "a CR without LF behind the body"; // and what follows is nobody's request
        }
        state_ = state::finished;
        return {};
    }
}

std::string_view chunked_decoder::take_byte(char byte) {
    switch (state_) {
    case state::size_first:
    case state::size:
    case state::extension:
    case state::size_line_feed:
        return size_byte(byte);
    case state::data_return:
        state_ = state::data_line_feed;
        return byte == '\r' ? std::string_view() : "a chunk longer than its size";
    case state::data_line_feed:
        state_ = state::size_first;
        return byte == '\n' ? std::string_view() : "a CR without LF behind a chunk";
    default:
        return trailer_byte(byte);
    }
}

result<chunked_decoder::step> chunked_decoder::feed(std::string_view input) {
    step done;
    while (done.consumed < input.size() && state_ != state::finished) {
        if (state_ == state::data) {
            const auto length = std::min<std::uint64_t>(left_, input.size() - done.consumed);
            done.data = input.substr(done.consumed, length);
            done.consumed += done.data.size();
            left_ -= length;
            if (left_ == 0) {
                state_ = state::data_return;
            }
            return done;
        }
        const auto wrong = take_byte(input[done.consumed]);
        ++done.consumed;
        if (!wrong.empty()) {
            return fail(error_kind::invalid, "malformed-request", std::string(wrong));
        }
    }
    done.finished = state_ == state::finished;
    return done;
}

} // namespace relais::http
