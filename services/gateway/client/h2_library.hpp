#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <new>
#include <nghttp2/nghttp2.h>

// nghttp2, for h2_session.cpp and h2_callbacks.cpp only.
namespace relais::gateway {

struct h2_library_deleter {
    void operator()(nghttp2_session* which) const {
        nghttp2_session_del(which);
    }

    void operator()(nghttp2_session_callbacks* which) const {
        nghttp2_session_callbacks_del(which);
    }

    void operator()(nghttp2_option* which) const {
        nghttp2_option_del(which);
    }
};

template <class Thing>
using h2_handle = std::unique_ptr<Thing, h2_library_deleter>;

/// The library fails in this way only when there is no memory, or when it is called wrongly.
inline void require_h2(int outcome) {
    if (outcome == NGHTTP2_ERR_NOMEM) {
        throw std::bad_alloc();
    }
    assert(outcome == 0);
}

/// All that call an h2_session::user, which is the session's user data.
h2_handle<nghttp2_session_callbacks> make_h2_callbacks();

/// Where answers' bodies come from.
ssize_t read_h2_data(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer,
                     std::size_t length, std::uint32_t* flags, nghttp2_data_source* source,
                     void* data);

} // namespace relais::gateway
