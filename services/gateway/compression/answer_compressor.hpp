#pragma once

#include "gateway/client/client_side.hpp"
#include "gateway/compression/encoder_pool.hpp"
#include "gateway/loop/read_buffer.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace relais::gateway {

/// Compresses the body of one answer between a service that gives pieces and a client that takes
/// them: holds an encoder and one block, and asks for no more input than the client lets go out.
/// Used again for other answers.
class answer_compressor {
public:
    answer_compressor(encoder_pool& encoders, block_pool& blocks);
    ~answer_compressor();
    answer_compressor(const answer_compressor&) = delete;
    answer_compressor& operator=(const answer_compressor&) = delete;

    /// False: there is no encoder at the moment, the answer goes as it is.
    bool begin(coding which, int level);

    bool active() const {
        return encoder_.get() != nullptr;
    }

    /// As client_side::send_body(): the piece must stay until it is `whole`.
    sent send(client_side& to, std::string_view piece, bool last);
    /// Gives out what was kept to be compressed together with more.
    sent flush(client_side& to);
    /// After `waiting`, when the client took what it was given.
    sent go_on(client_side& to);

    /// The client has not taken everything yet, so go_on() is next.
    bool busy() const {
        return waiting_;
    }

    /// Something of what was sent was not given to the client yet.
    bool holds_back() const {
        return holds_;
    }

    std::uint64_t bytes_out() const {
        return bytes_out_;
    }

    void end();

private:
    sent pump(client_side& to);

    encoder_pool& encoders_;
    block_pool& blocks_;
    encoder_pool::lease encoder_;
    std::unique_ptr<char[]> block_;
    std::size_t filled_ = 0; ///< of the block, not given to the client
    std::string_view input_;
    encoder::aim aim_ = encoder::aim::more;
    std::uint64_t bytes_out_ = 0;
    bool waiting_ = false;    ///< the client was given the block and has not taken all of it
    bool unfinished_ = false; ///< the encoder has to be run before more input is asked for
    bool holds_ = false;
};

/// What compression changes in the head of an answer that it covers: Vary always; for a coding also
/// Content-Encoding and the length, and the ETag is a weak one then (RFC 9110 §8.8.1), written to
/// `etag`, which outlives the answer.
void describe_coding(coding which, answer_head& head, std::string& etag);

} // namespace relais::gateway
