#include "support/decoded.hpp"

#include <brotli/decode.h>
#include <memory>
#include <stdexcept>
#include <zlib.h>
#include <zstd.h>

namespace relais::test {
namespace {

struct outcome {
    std::string content;
    bool whole = false; ///< the stream ended, and with it the bytes
};

outcome gunzip(const std::string& bytes) {
    outcome out;
    z_stream stream{};
    if (::inflateInit2(&stream, 15 + 16) != Z_OK) {
        throw std::runtime_error("zlib");
    }
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int said = Z_OK;
    while (said == Z_OK) {
        char piece[65536];
        stream.next_out = reinterpret_cast<Bytef*>(piece);
        stream.avail_out = sizeof(piece);
        said = ::inflate(&stream, Z_SYNC_FLUSH);
        out.content.append(piece, sizeof(piece) - stream.avail_out);
    }
    out.whole = said == Z_STREAM_END && stream.avail_in == 0;
    ::inflateEnd(&stream);
    return out;
}

outcome unbrotli(const std::string& bytes) {
    outcome out;
    const std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state(
        ::BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
    std::size_t left = bytes.size();
    const auto* from = reinterpret_cast<const std::uint8_t*>(bytes.data());
    auto said = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (said == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        std::uint8_t piece[65536];
        std::size_t room = sizeof(piece);
        auto* to = piece;
        said = ::BrotliDecoderDecompressStream(state.get(), &left, &from, &room, &to, nullptr);
        out.content.append(reinterpret_cast<const char*>(piece), sizeof(piece) - room);
    }
    out.whole = said == BROTLI_DECODER_RESULT_SUCCESS && left == 0;
    return out;
}

outcome unzstd(const std::string& bytes) {
    outcome out;
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(::ZSTD_createDCtx(),
                                                                       &ZSTD_freeDCtx);
    ZSTD_inBuffer from{bytes.data(), bytes.size(), 0};
    std::size_t left = 1;
    std::size_t got = 1;
    while (left != 0 && (from.pos < from.size || got > 0)) {
        char piece[65536];
        ZSTD_outBuffer to{piece, sizeof(piece), 0};
        left = ::ZSTD_decompressStream(context.get(), &to, &from);
        if (::ZSTD_isError(left) != 0) {
            throw std::runtime_error(::ZSTD_getErrorName(left));
        }
        got = to.pos;
        out.content.append(piece, to.pos);
    }
    out.whole = left == 0 && from.pos == from.size;
    return out;
}

outcome decode(const std::string& coding, const std::string& bytes) {
    if (coding == "gzip") {
        return gunzip(bytes);
    }
    if (coding == "br") {
        return unbrotli(bytes);
    }
    if (coding == "zstd") {
        return unzstd(bytes);
    }
    throw std::runtime_error("unknown coding \"" + coding + "\"");
}

} // namespace

std::string decoded(const std::string& coding, const std::string& bytes) {
    auto out = decode(coding, bytes);
    if (!out.whole) {
        throw std::runtime_error("not a whole " + coding + " stream");
    }
    return std::move(out.content);
}

std::string decoded_beginning(const std::string& coding, const std::string& bytes) {
    return decode(coding, bytes).content;
}

} // namespace relais::test
