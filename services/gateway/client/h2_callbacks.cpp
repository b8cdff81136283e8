#include "gateway/client/h2_library.hpp"
#include "gateway/client/h2_session.hpp"

// What nghttp2 calls.
namespace relais::gateway {
namespace {

std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters here
    return {reinterpret_cast<const char*>(data), size};
}

h2_session::user& user_of(void* data) {
    return *static_cast<h2_session::user*>(data);
}

h2_stream* stream_of(nghttp2_session* session, std::int32_t id) {
    return static_cast<h2_stream*>(nghttp2_session_get_stream_user_data(session, id));
}

// A callback that fails ends the connection: only memory can be short in them.
template <class Work>
int guarded(Work work) noexcept {
    try {
        return work();
    } catch (...) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
}

int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    return guarded([&] {
        const auto id = frame->hd.stream_id;
        require_h2(nghttp2_session_set_stream_user_data(session, id, &user_of(data).on_stream(id)));
        // Else the first of several answers would go out whole before the others.
        const nghttp2_extpri in_turns{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
        require_h2(nghttp2_session_change_extpri_stream_priority(session, id, &in_turns, 1));
        return 0;
    });
}

int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
              std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
              std::uint8_t /*flags*/, void* data) {
    return guarded([&] {
        if (auto* const stream = stream_of(session, frame->hd.stream_id)) {
            user_of(data).on_field(*stream, as_text(name, name_size), as_text(value, value_size));
        }
        return 0;
    });
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
    return guarded([&] {
        if (frame->hd.type == NGHTTP2_SETTINGS) {
            if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
                user_of(data).on_settings_acknowledged();
            }
            return 0;
        }
        auto* const stream = stream_of(session, frame->hd.stream_id);
        const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (stream != nullptr && frame->hd.type == NGHTTP2_HEADERS) {
            user_of(data).on_fields_end(*stream, last);
        } else if (stream != nullptr && frame->hd.type == NGHTTP2_DATA && last) {
            user_of(data).on_data_end(*stream);
        }
        return 0;
    });
}

int on_data_chunk(nghttp2_session* session, std::uint8_t /*flags*/, std::int32_t id,
                  const std::uint8_t* bytes, std::size_t size, void* data) {
    return guarded([&] {
        if (auto* const stream = stream_of(session, id)) {
            user_of(data).on_data(*stream, as_text(bytes, size));
        } else {
            nghttp2_session_consume_connection(session, size);
        }
        return 0;
    });
}

int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t /*code*/, void* data) {
    return guarded([&] {
        if (auto* const stream = stream_of(session, id)) {
            user_of(data).on_stream_closed(*stream);
        }
        return 0;
    });
}

bool is_provoked(std::uint32_t code) {
    return code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL && code != NGHTTP2_INTERNAL_ERROR;
}

int on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
    return guarded([&] {
        const bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                          (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (ends && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
            if (auto* const stream = stream_of(session, frame->hd.stream_id)) {
                user_of(data).on_early_end(*stream);
            }
        } else if (frame->hd.type == NGHTTP2_RST_STREAM &&
                   is_provoked(frame->rst_stream.error_code)) {
            user_of(data).on_reset_provoked();
        } else if (frame->hd.type == NGHTTP2_GOAWAY &&
                   frame->goaway.error_code != NGHTTP2_NO_ERROR) {
            user_of(data).on_failure_sent();
        }
        return 0;
    });
}

int on_send_data(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head,
                 std::size_t length, nghttp2_data_source* /*source*/, void* data) {
    return guarded([&] {
        constexpr std::size_t frame_head = 9;
        auto* const stream = stream_of(session, frame->hd.stream_id);
        const bool written = stream != nullptr && user_of(data).on_data_frame(
                                                      *stream, as_text(head, frame_head), length);
        return written ? 0 : static_cast<int>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
    });
}

} // namespace

ssize_t read_h2_data(nghttp2_session* session, std::int32_t id, std::uint8_t* /*buffer*/,
                     std::size_t length, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                     void* data) {
    auto* const stream = stream_of(session, id);
    if (stream == nullptr) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    const auto offer = user_of(data).on_offer(*stream, length);
    switch (offer.kind) {
    case h2_offer::what::nothing_yet:
        return NGHTTP2_ERR_DEFERRED;
    case h2_offer::what::no_room:
        return NGHTTP2_ERR_PAUSE;
    case h2_offer::what::data:
        break;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (offer.last) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<ssize_t>(offer.count);
}

h2_handle<nghttp2_session_callbacks> make_h2_callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    require_h2(nghttp2_session_callbacks_new(&made));
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(made, on_send_data);
    return h2_handle<nghttp2_session_callbacks>(made);
}

} // namespace relais::gateway
