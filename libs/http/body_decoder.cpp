#include "http/body_decoder.hpp"

#include <algorithm>

namespace relais::http {

result<body_decoder::step> body_decoder::feed(std::string_view input) {
    if (kind_ == framing::chunked) {
        return chunks_.feed(input);
    }
    step done;
    if (kind_ == framing::until_close) {
        done.data = input;
    } else if (kind_ == framing::content_length) {
        done.data = input.substr(0, std::min<std::uint64_t>(left_, input.size()));
        left_ -= done.data.size();
    }
    done.consumed = done.data.size();
    done.finished = finished();
    return done;
}

bool body_decoder::finished() const {
    switch (kind_) {
    case framing::none:
        return true;
    case framing::content_length:
        return left_ == 0;
    case framing::chunked:
        return chunks_.finished();
    case framing::until_close:
        break;
    }
    return false;
}

} // namespace relais::http
