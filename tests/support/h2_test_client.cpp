#include "support/h2_test_client.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace relais::test::h2 {
namespace {

using steady = std::chrono::steady_clock;

std::uint8_t* bytes_of(const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

std::string text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

struct body {
    std::size_t left = 0;
    std::size_t sent = 0;
    bool ends = true;
};

} // namespace

struct client::state {
    int socket = -1;
    settings how;
    nghttp2_session* session = nullptr;
    std::map<std::int32_t, answer> answers;
    std::map<std::int32_t, body> bodies;
    bool goaway = false;
    std::int32_t goaway_last = -1;
    std::string unsent;

    static state& of(void* data) {
        return *static_cast<state*>(data);
    }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* data) {
        auto& to = of(data).answers[frame->hd.stream_id];
        const auto key = text_of(name, name_size);
        const auto text = text_of(value, value_size);
        if (key == ":status") {
            int status = 0;
            std::from_chars(text.data(), text.data() + text.size(), status);
            (status < 200 ? to.interim.emplace_back() : to.status) = status;
        } else {
            to.fields[key] = text;
        }
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t size, void* data) {
        auto& to = of(data).answers[id];
        to.body_bytes += size;
        if (of(data).how.keep_bodies) {
            to.body += text_of(bytes, size);
        }
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* data) {
        if (frame->hd.type == NGHTTP2_GOAWAY) {
            of(data).goaway = true;
            of(data).goaway_last = frame->goaway.last_stream_id;
        } else if (frame->hd.stream_id > 0 && frame->hd.type <= NGHTTP2_HEADERS &&
                   (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            of(data).answers[frame->hd.stream_id].whole = true;
        }
        return 0;
    }

    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* data) {
        of(data).answers[id].closed = true;
        of(data).answers[id].reset_code = code;
        return 0;
    }

    static ssize_t read_body(nghttp2_session*, std::int32_t id, std::uint8_t* buffer,
                             std::size_t length, std::uint32_t* flags, nghttp2_data_source*,
                             void* data) {
        auto& from = of(data).bodies[id];
        const auto count = std::min(length, from.left);
        std::memset(buffer, 'x', count);
        from.left -= count;
        from.sent += count;
        if (from.left == 0 && from.ends) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        } else if (count == 0) {
            return NGHTTP2_ERR_DEFERRED;
        }
        return static_cast<ssize_t>(count);
    }

    void open() {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_option* options = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_option_new(&options);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_option_set_no_auto_window_update(options, how.open_windows ? 0 : 1);
        nghttp2_session_client_new2(&session, callbacks, this, options);
        nghttp2_option_del(options);
        nghttp2_session_callbacks_del(callbacks);
        const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                                            how.stream_window};
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &window, 1);
    }

    void render() {
        const std::uint8_t* data = nullptr;
        while (unsent.size() < 65'536) {
            const auto size = nghttp2_session_mem_send(session, &data);
            if (size <= 0) {
                return;
            }
            unsent.append(text_of(data, static_cast<std::size_t>(size)));
        }
    }

    bool write() {
        const auto count =
            ::send(socket, unsent.data(), unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) {
            unsent.erase(0, static_cast<std::size_t>(count));
        }
        return count >= 0 || errno == EAGAIN;
    }

    bool read() {
        char bytes[65'536];
        const auto count = ::recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (count <= 0) {
            return count < 0 && errno == EAGAIN;
        }
        return nghttp2_session_mem_recv(session, reinterpret_cast<const std::uint8_t*>(bytes),
                                        static_cast<std::size_t>(count)) == count;
    }
};

client::client(int socket, settings how) : state_(std::make_unique<state>()) {
    state_->socket = socket;
    state_->how = how;
    state_->open();
}

client::~client() {
    nghttp2_session_del(state_->session);
    ::close(state_->socket);
}

std::int32_t client::send(const field_list& fields, std::size_t body_bytes, bool ends) {
    std::vector<nghttp2_nv> list;
    list.reserve(fields.size());
    for (const auto& [name, value] : fields) {
        list.push_back(
            {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    const nghttp2_data_provider source{{}, state::read_body};
    const bool has_body = body_bytes > 0 || !ends;
    const auto id = nghttp2_submit_request(state_->session, nullptr, list.data(), list.size(),
                                           has_body ? &source : nullptr, nullptr);
    if (id < 0) {
        throw std::runtime_error(nghttp2_strerror(id));
    }
    state_->bodies[id] = {body_bytes, 0, ends};
    state_->answers[id];
    return id;
}

void client::reset(std::int32_t stream) {
    nghttp2_submit_rst_stream(state_->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

bool client::run(const std::function<bool()>& until) {
    const auto limit = steady::now() + state_->how.patience;
    while (!until()) {
        state_->render();
        pollfd waiting{state_->socket, POLLIN, 0};
        if (!state_->unsent.empty()) {
            waiting.events |= POLLOUT;
        }
        ::poll(&waiting, 1, 50);
        const bool written = (waiting.revents & POLLOUT) == 0 || state_->write();
        const bool read = (waiting.revents & (POLLIN | POLLHUP)) == 0 || state_->read();
        if (!written || !read || steady::now() > limit) {
            return until();
        }
    }
    return true;
}

const answer& client::wait(std::int32_t stream) {
    run([&] { return at(stream).closed; });
    return at(stream);
}

answer& client::at(std::int32_t stream) {
    return state_->answers[stream];
}

std::size_t client::sent_of(std::int32_t stream) const {
    return state_->bodies[stream].sent;
}

bool client::got_goaway() const {
    return state_->goaway;
}

std::int32_t client::goaway_last() const {
    return state_->goaway_last;
}

} // namespace relais::test::h2
