#include "gateway/client/h2_client.hpp"
#include "gateway/client/h2_stream.hpp"
#include "http/h2_request.hpp"

// What the client sends on a stream, and how the exchange hears of it.
namespace relais::gateway {
namespace {

constexpr std::size_t field_overhead = 32; // RFC 9113 §6.5.2
constexpr std::size_t bomb_bytes = std::size_t{4} * h2_session::head_bytes_max;
constexpr std::size_t pseudo_fields_max = 4;
constexpr std::size_t text_kept_max = std::size_t{4} * 1024;

/// Keeps little memory for the next request.
void empty(std::string& text) {
    text.clear();
    if (text.capacity() > text_kept_max) {
        text.shrink_to_fit();
    }
}

} // namespace

h2_stream::h2_stream(edge_loop& loop)
    : timer_(loop.timers(), *this, timer_wheel::calls<&h2_stream::on_timeout>{}) {}

void h2_stream::begin(h2_client& whose, std::int32_t id) {
    client_ = &whose;
    id_ = id;
    user_ = nullptr;
    empty(text_);
    empty(cookies_);
    empty(coming_);
    empty(lent_);
    fields_.clear();
    list_bytes_ = 0;
    head_.method = "GET";
    head_.framing = http::framing::chunked;
    head_.expect_continue = false;
    seen_ = 0;
    body_began_ = {};
    answer_ = nullptr;
    piece_ = {};
    timer_.clear();
    head_whole_ = has_body_ = too_large_ = bad_trailers_ = arrived_ = ended_ = spoiled_ = wanted_ =
        false;
    delivering_ = said_continue_ = last_ = last_taken_ = waiting_ = room_ = false;
    mute_ = gave_up_ = early_ = closed_ = false;
}

void h2_stream::begin_without_stream(h2_client& whose) {
    begin(whose, 0);
    mute_ = closed_ = true;
}

void h2_stream::add_field(std::string_view name, std::string_view value) {
    const http::gate_limits limits;
    list_bytes_ += name.size() + value.size() + field_overhead;
    if (list_bytes_ > bomb_bytes) {
        client_->offend(h2_event::header_bomb);
    }
    const bool fits = list_bytes_ <= h2_session::head_bytes_max;
    if (head_whole_) { // trailers are checked and dropped
        const http::field_view field{name, value};
        bad_trailers_ = bad_trailers_ || !fits || !http::check_h2_trailers({&field, 1}, limits);
        return;
    }
    too_large_ = too_large_ || !fits || fields_.size() >= limits.fields_max + pseudo_fields_max;
    if (!too_large_) {
        text_.append(name).append(value);
        fields_.push_back(
            {static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(value.size())});
    }
}

void h2_stream::end_fields(bool last) {
    if (!head_whole_) {
        head_whole_ = arrived_ = true;
        has_body_ = !last;
        ended_ = last;
        list_bytes_ = 0;
        client_->note(*this);
    } else if (bad_trailers_ || !last) { // trailers end a stream
        spoil();
    } else {
        end_data();
    }
}

/// More than was announced, or the end before.
bool h2_stream::has_wrong_length() const {
    return head_.framing != http::framing::chunked &&
           (seen_ > head_.body_bytes || (ended_ && seen_ < head_.body_bytes));
}

void h2_stream::add_data(std::string_view piece) {
    seen_ += piece.size();
    if (user_ != nullptr && has_wrong_length()) {
        spoil();
    }
    if (!mute_ && (user_ != nullptr || arrived_)) {
        coming_.append(piece);
        client_->note(*this);
    } else { // the stream's window stays shut
        client_->session().consume_of_connection(piece.size());
    }
}

void h2_stream::end_data() {
    ended_ = true;
    if (user_ != nullptr && has_wrong_length()) {
        spoil();
    }
    client_->note(*this);
}

/// What came is not what was announced: nobody may take it for a whole body.
void h2_stream::spoil() {
    if (!mute_) {
        mute_ = spoiled_ = true;
        client_->count(h2_event::malformed_request);
        client_->note(*this);
    }
}

void h2_stream::on_closed() {
    closed_ = true;
    client_->note(*this);
}

void h2_stream::tell() {
    if (arrived_) {
        serve();
    }
    if (user_ != nullptr && room_) {
        room_ = false;
        user_->on_client_ready();
    }
    if (user_ != nullptr && closed_ && !last_taken_) {
        user_->on_client_gone();
    }
    if (user_ != nullptr && spoiled_) {
        spoiled_ = wanted_ = false;
        user_->on_request_body_failed({error_kind::invalid, "malformed-request",
                                       "the body is not as long as announced, or "
                                       "its trailers are none",
                                       "", std::nullopt});
    }
    if (user_ != nullptr && wanted_) {
        deliver();
    }
    if (user_ == nullptr && closed_) {
        client_->retire(*this);
    }
}

void h2_stream::lose() {
    closed_ = true;
    if (user_ != nullptr) {
        user_->on_client_gone();
    }
    client_->retire(*this);
}

const std::vector<http::field_view>& h2_stream::received() const {
    auto& out = client_->scratch();
    out.clear();
    std::string_view rest = text_;
    for (const auto& [name, value] : fields_) {
        out.push_back({rest.substr(0, name), rest.substr(name, value)});
        rest.remove_prefix(name + value);
    }
    return out;
}

void h2_stream::serve() {
    arrived_ = false;
    if (closed_) {
        client_->count(h2_event::reset_before_served);
        return;
    }
    client_->on_request();
    if (const auto* const refused = client_->refusal()) {
        serve_malformed(*refused);
        return;
    }
    if (too_large_) {
        client_->count(h2_event::head_too_large);
        serve_malformed(
            {error_kind::invalid, "header-too-large", "the header is too large", "", std::nullopt});
        return;
    }
    const auto read = read_head();
    if (!read) {
        if (read.error().slug == "malformed-request") {
            mute_ = true;
            client_->count(h2_event::malformed_request);
        }
        serve_malformed(read.error());
        return;
    }
    user_ = &client_->owner().new_exchange(*this);
    user_->on_request(head_);
}

result<void> h2_stream::read_head() {
    auto read = http::read_h2_request(received(), has_body_, {}, cookies_, head_);
    if (read && has_wrong_length()) {
        read =
            fail(error_kind::invalid, "malformed-request", "the body is not as long as announced");
    }
    if (!read) {
        head_.framing = http::framing::chunked; // whatever comes is only forgotten
    }
    return read;
}

void h2_stream::serve_malformed(const error& why) {
    user_ = &client_->owner().new_exchange(*this);
    user_->on_malformed(why);
}

void h2_stream::deliver() {
    if (delivering_) {
        return;
    }
    delivering_ = true;
    while (wanted_ && user_ != nullptr && !spoiled_ && (ended_ || !coming_.empty())) {
        std::swap(lent_, coming_);
        wanted_ = false;
        if (!waiting_) {
            timer_.clear();
        }
        user_->on_request_body(lent_, ended_);
    }
    delivering_ = false;
    watch_body();
}

void h2_stream::watch_body() {
    if (user_ != nullptr && wanted_ && !waiting_) {
        timer_.set(body_deadline(client_->owner().patience(), body_began_, seen_));
    }
}

} // namespace relais::gateway
