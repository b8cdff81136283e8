#include "gateway/client/h2_session.hpp"

#include "gateway/client/h2_library.hpp"
#include "http/tokens.hpp"

#include <array>
#include <charconv>
#include <vector>

namespace relais::gateway {
namespace {

/// A list of fields for the library, which copies it, with names in lower case.
class field_list {
public:
    explicit field_list(std::size_t count) {
        if (count > few_.size()) {
            many_.resize(count);
        }
    }

    void add(std::string_view name, std::string_view value, bool never_twice = false) {
        // What differs each time would only push out what comes again (RFC 7541 §6.2.2).
        const auto flag = never_twice ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
        auto* const at = (many_.empty() ? few_.data() : many_.data()) + size_;
        ++size_;
        *at = {bytes(name), bytes(value), name.size(), value.size(),
               static_cast<std::uint8_t>(flag)};
    }

    const nghttp2_nv* data() const {
        return many_.empty() ? few_.data() : many_.data();
    }

    std::size_t size() const {
        return size_;
    }

private:
    static std::uint8_t* bytes(std::string_view text) {
        // The library only reads them.
        // NOLINTBEGIN(cppcoreguidelines-pro-type-*)
        return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
        // NOLINTEND(cppcoreguidelines-pro-type-*)
    }

    std::array<nghttp2_nv, 48> few_; // NOLINT(cppcoreguidelines-pro-type-member-init): see add()
    std::vector<nghttp2_nv> many_;
    std::size_t size_ = 0;
};

/// Numbers as text, for as long as the list needs them.
class number_text {
public:
    explicit number_text(std::uint64_t value)
        : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), value).ptr) {}

    std::string_view view() const {
        return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
    }

private:
    std::array<char, 20> digits_{};
    char* end_;
};

bool differs_each_time(std::string_view name) {
    return http::equal_names(name, "x-request-id") || http::equal_names(name, "ratelimit");
}

void add_fields(const answer_head& head, field_list& to) {
    for (const auto& [name, value] : head.fields) {
        to.add(name, value, differs_each_time(name));
    }
}

h2_handle<nghttp2_option> make_options() {
    nghttp2_option* made = nullptr;
    require_h2(nghttp2_option_new(&made));
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_http_messaging(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(made, 4096);
    nghttp2_option_set_max_settings(made, 16);
    // Limits of the library, behind ours (h2_guard).
    nghttp2_option_set_max_outbound_ack(made, 400);
    nghttp2_option_set_stream_reset_rate_limit(made, 400, 40);
    nghttp2_option_set_max_continuations(made, 8);
    return h2_handle<nghttp2_option>(made);
}

void submit_settings(nghttp2_session* session) {
    const std::array<nghttp2_settings_entry, 4> entries{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h2_session::streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, h2_session::stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, h2_session::head_bytes_max},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    }};
    require_h2(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries.data(), entries.size()));
    require_h2(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                     h2_session::connection_window));
}

} // namespace

struct h2_session::state {
    h2_handle<nghttp2_session> session;
    bool failed = false; ///< for want of memory

    nghttp2_session* get() const {
        return session.get();
    }
};

h2_session::h2_session(user& whose) : state_(std::make_unique<state>()) {
    const auto callbacks = make_h2_callbacks();
    const auto options = make_options();
    nghttp2_session* made = nullptr;
    require_h2(nghttp2_session_server_new2(&made, callbacks.get(), &whose, options.get()));
    state_->session.reset(made);
    submit_settings(made);
}

h2_session::~h2_session() = default;

h2_session::outcome h2_session::receive(std::string_view bytes) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters are bytes there
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto taken = nghttp2_session_mem_recv(state_->get(), data, bytes.size());
    if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
        return outcome::not_http2;
    }
    return taken < 0 ? outcome::broken : outcome::fine;
}

std::string_view h2_session::output() {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(state_->get(), &data);
    if (size < 0) {
        state_->failed = true;
        return {};
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are characters here
    return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)};
}

bool h2_session::wants_to_read() const {
    return !state_->failed && nghttp2_session_want_read(state_->get()) != 0;
}

bool h2_session::wants_to_write() const {
    return !state_->failed && nghttp2_session_want_write(state_->get()) != 0;
}

std::size_t h2_session::queued() const {
    return nghttp2_session_get_outbound_queue_size(state_->get());
}

void h2_session::send_interim(std::int32_t id, const answer_head& head) {
    field_list fields(head.fields.size() + 1);
    const number_text status(static_cast<std::uint64_t>(head.status));
    fields.add(":status", status.view());
    add_fields(head, fields);
    require_h2(nghttp2_submit_headers(state_->get(), NGHTTP2_FLAG_NONE, id, nullptr, fields.data(),
                                      fields.size(), nullptr));
}

void h2_session::send_head(std::int32_t id, const answer_head& head, bool has_body) {
    field_list fields(head.fields.size() + 2);
    const number_text status(static_cast<std::uint64_t>(head.status));
    const number_text length(head.content_length.value_or(0));
    fields.add(":status", status.view());
    add_fields(head, fields);
    if (head.content_length && head.status != 204) {
        fields.add("content-length", length.view());
    }
    const nghttp2_data_provider body{{}, read_h2_data};
    require_h2(nghttp2_submit_response(state_->get(), id, fields.data(), fields.size(),
                                       has_body ? &body : nullptr));
}

void h2_session::resume(std::int32_t id) {
    // Says so when the stream did not wait, which is all the same.
    nghttp2_session_resume_data(state_->get(), id);
}

void h2_session::reset(std::int32_t id, h2_error why) {
    require_h2(nghttp2_submit_rst_stream(state_->get(), NGHTTP2_FLAG_NONE, id,
                                         static_cast<std::uint32_t>(why)));
}

void h2_session::consume(std::int32_t id, std::size_t count) {
    require_h2(nghttp2_session_consume(state_->get(), id, count));
}

void h2_session::consume_of_connection(std::size_t count) {
    require_h2(nghttp2_session_consume_connection(state_->get(), count));
}

void h2_session::announce_end() {
    require_h2(nghttp2_submit_shutdown_notice(state_->get()));
}

void h2_session::refuse_new_streams() {
    const auto last = nghttp2_session_get_last_proc_stream_id(state_->get());
    require_h2(nghttp2_submit_goaway(state_->get(), NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR,
                                     nullptr, 0));
}

void h2_session::terminate(h2_error why) {
    require_h2(nghttp2_session_terminate_session(state_->get(), static_cast<std::uint32_t>(why)));
}

} // namespace relais::gateway
