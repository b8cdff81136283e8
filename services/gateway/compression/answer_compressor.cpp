#include "gateway/compression/answer_compressor.hpp"

#include "http/tokens.hpp"

#include <algorithm>
#include <span>

namespace relais::gateway {

answer_compressor::answer_compressor(encoder_pool& encoders, block_pool& blocks)
    : encoders_(encoders), blocks_(blocks) {}

answer_compressor::~answer_compressor() {
    end();
}

bool answer_compressor::begin(coding which, int level) {
    end();
    encoder_ = encoders_.take(which, level);
    if (!active()) {
        return false;
    }
    block_ = blocks_.take();
    bytes_out_ = 0;
    return true;
}

void answer_compressor::end() {
    encoder_.give_back();
    if (block_ != nullptr) {
        blocks_.give(std::move(block_));
    }
    filled_ = 0;
    input_ = {};
    waiting_ = unfinished_ = holds_ = false;
}

sent answer_compressor::send(client_side& to, std::string_view piece, bool last) {
    input_ = piece;
    aim_ = last ? encoder::aim::finish : encoder::aim::more;
    unfinished_ = true;
    return waiting_ ? sent::waiting : pump(to);
}

sent answer_compressor::flush(client_side& to) {
    if (waiting_ || unfinished_) {
        return sent::waiting; // it is on its way already
    }
    aim_ = encoder::aim::flush;
    unfinished_ = true;
    return pump(to);
}

sent answer_compressor::go_on(client_side& to) {
    waiting_ = false;
    return unfinished_ ? pump(to) : sent::whole;
}

sent answer_compressor::pump(client_side& to) {
    while (true) {
        const std::span<char> room(block_.get() + filled_, block_pool::block_bytes - filled_);
        const auto step = encoder_.get()->run(input_, room, aim_);
        input_.remove_prefix(step.taken);
        filled_ += step.given;
        const bool full = filled_ == block_pool::block_bytes;
        if (!step.reached && !full) {
            return sent::broken; // the library refuses; nobody may take half a stream for a whole
        }
        unfinished_ = !step.reached;
        holds_ = step.reached && aim_ == encoder::aim::more;
        if (holds_ && !full) {
            return sent::whole;
        }
        const bool last = step.reached && aim_ == encoder::aim::finish;
        const std::string_view piece(block_.get(), filled_);
        filled_ = 0;
        bytes_out_ += piece.size();
        if (piece.empty() && !last) {
            return sent::whole;
        }
        const auto outcome = to.send_body(piece, last);
        waiting_ = outcome == sent::waiting;
        if (outcome != sent::whole || step.reached) {
            return outcome;
        }
    }
}

void describe_coding(coding which, answer_head& head, std::string& etag) {
    const bool said = std::ranges::any_of(head.fields, [](const auto& field) {
        return http::equal_names(field.name, "vary") &&
               http::list_has(field.value, "accept-encoding");
    });
    if (!said) {
        head.fields.push_back({"Vary", "Accept-Encoding"});
    }
    if (which == coding::identity) {
        return;
    }
    std::erase_if(head.fields, [](const auto& field) {
        return http::equal_names(field.name, "accept-ranges") ||
               http::equal_names(field.name, "content-encoding");
    });
    for (auto& field : head.fields) {
        if (http::equal_names(field.name, "etag") && !field.value.starts_with("W/")) {
            etag.assign("W/").append(field.value);
            field.value = etag;
        }
    }
    head.content_length.reset();
    if (head.has_body) {
        head.fields.push_back({"Content-Encoding", to_string(which)});
    }
}

} // namespace relais::gateway
