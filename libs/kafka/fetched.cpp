#include "kafka/fetched.hpp"

#include <array>
#include <span>

namespace relais::kafka {
namespace {

using header_view = std::pair<std::string_view, std::string_view>;

std::string_view bytes_of(const void* data, std::size_t size) {
    return data == nullptr ? std::string_view()
                           : std::string_view(static_cast<const char*>(data), size);
}

/// The headers where the client parsed them. Ours are a dozen, for which there is room without
/// allocating; the client allocates for each, so they are taken from it and freed at once, by the
/// same thread. Whoever asks again gets them parsed again.
class header_list {
public:
    explicit header_list(rd_kafka_message_t& message) {
        rd_kafka_headers_t* native = nullptr;
        if (rd_kafka_message_detach_headers(&message, &native) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return;
        }
        native_.reset(native);
        count_ = rd_kafka_header_cnt(native);
        if (count_ > few_.size()) {
            many_.resize(count_);
        }
        header_view* next = count_ > few_.size() ? many_.data() : few_.data();
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t size = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            rd_kafka_header_get_all(native, i, &name, &value, &size);
            *next++ = {name, bytes_of(value, size)};
        }
    }

    std::span<const header_view> all() const {
        return {count_ > few_.size() ? many_.data() : few_.data(), count_};
    }

private:
    native::owned<rd_kafka_headers_t> native_;
    std::size_t count_ = 0;
    std::array<header_view, 16> few_;
    std::vector<header_view> many_;
};

std::optional<std::string_view> value_of(const rd_kafka_message_t& message) {
    if (message.payload == nullptr) {
        return std::nullopt;
    }
    return bytes_of(message.payload, message.len);
}

} // namespace

fetched::fetched() : state_(std::make_unique<state>()) {}

fetched::~fetched() = default;
fetched::fetched(fetched&& other) noexcept = default;
fetched& fetched::operator=(fetched&& other) noexcept = default;

std::size_t fetched::size() const {
    return state_->messages.size();
}

std::size_t fetched::bytes() const {
    return state_->bytes;
}

message fetched::operator[](std::size_t index) const {
    return {state_->messages[index].get(), state_->topic};
}

std::int64_t message::offset() const {
    return native_->offset;
}

timestamp message::time() const {
    rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const auto time_ms = rd_kafka_message_timestamp(native_, &kind);
    return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? timestamp()
                                                    : timestamp(std::chrono::milliseconds(time_ms));
}

std::string_view message::key() const {
    return bytes_of(native_->key, native_->key_len);
}

record message::copy() const {
    record made;
    made.topic = *topic_;
    made.key = key();
    made.value = value_of(*native_);
    const header_list headers(*native_);
    for (const auto& [name, value] : headers.all()) {
        made.headers.emplace_back(name, value);
    }
    made.partition = native_->partition;
    made.offset = native_->offset;
    made.time = time();
    return made;
}

void message::read(result<events::event>& into) const {
    if (!into) {
        into = events::event();
    }
    const header_list headers(*native_);
    const auto done = events::read_record(
        {.topic = *topic_, .key = key(), .value = value_of(*native_), .headers = headers.all()},
        *into);
    if (!done) {
        into = fail(done);
    }
}

} // namespace relais::kafka
