// A body in chunks, from either side. In pieces, whose size the first byte says, it must come to
// the same end as whole, with the same content; and the connection's reader, which puts chunks
// together in its buffer, must agree.
#include "fuzz/fuzz_target.hpp"
#include "gateway/channel/body_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>

using namespace relais;

namespace {

struct outcome {
    std::string content;
    std::size_t consumed = 0;
    bool finished = false;
    bool refused = false;
};

outcome decode(std::string_view bytes, std::size_t piece) {
    http::chunked_decoder decoder;
    outcome out;
    while (out.consumed < bytes.size() && !out.finished) {
        const auto step = decoder.feed(bytes.substr(out.consumed, piece));
        if (!step) {
            fuzz::require(step.error().slug == "malformed-request");
            out.refused = true;
            break;
        }
        fuzz::require(step->consumed <= piece && (step->consumed > 0 || step->finished));
        fuzz::require(step->data.size() <= step->consumed);
        out.content += step->data;
        out.consumed += step->consumed;
        out.finished = step->finished;
    }
    fuzz::require(out.finished == decoder.finished() || out.refused);
    return out;
}

/// Through a connection's buffer.
outcome read(std::string_view bytes, std::size_t piece) {
    constexpr std::size_t small = 64;
    gateway::block_pool blocks;
    gateway::read_buffer buffer(blocks, small);
    gateway::body_reader reader(http::framing::chunked, 0);
    outcome out;
    while (!bytes.empty() && !out.finished) {
        buffer.make_room();
        const auto room = buffer.tail();
        const auto count = std::min({piece, room.size(), bytes.size()});
        fuzz::require(count > 0); // all that came was used up
        std::memcpy(room.data(), bytes.data(), count);
        bytes.remove_prefix(count);
        buffer.added(count);
        const auto took = reader.take(buffer);
        if (!took) {
            out.refused = true;
            break;
        }
        out.content += took->data;
        out.finished = took->finished;
    }
    fuzz::require(out.refused || reader.bytes_seen() == out.content.size());
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::size_t piece = 1 + data[0] % 61;
    const auto bytes = fuzz::as_text(data, size).substr(1);
    const auto whole = decode(bytes, bytes.size());
    const auto parts = decode(bytes, piece);
    fuzz::require(whole.refused == parts.refused && whole.finished == parts.finished);
    fuzz::require(whole.content == parts.content || whole.refused);
    fuzz::require(whole.consumed == parts.consumed || whole.refused);
    const auto buffered = read(bytes, piece);
    fuzz::require(whole.refused == buffered.refused && whole.finished == buffered.finished);
    fuzz::require(whole.content == buffered.content || whole.refused);
    return 0;
}
