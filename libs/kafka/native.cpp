#include "kafka/native.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace relais::kafka::native {
namespace {

void set(rd_kafka_conf_t& conf, const option& value) {
    std::array<char, 512> why{};
    const auto done =
        rd_kafka_conf_set(&conf, value.first, value.second.c_str(), why.data(), why.size());
    if (done != RD_KAFKA_CONF_OK) {
        throw std::runtime_error(fmt::format("kafka: {}", why.data()));
    }
}

std::string bytes_of(const void* data, std::size_t size) {
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

events::headers headers_of(const rd_kafka_message_t& message) {
    events::headers fields;
    rd_kafka_headers_t* native = nullptr;
    if (rd_kafka_message_headers(&message, &native) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fields;
    }
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(native, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        fields.emplace_back(name, bytes_of(value, size));
    }
    return fields;
}

} // namespace

owned<rd_kafka_conf_t> make_conf(const std::string& brokers, const std::string& client_id,
                                 std::initializer_list<option> options) {
    owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    set(*conf, {"bootstrap.servers", brokers});
    set(*conf, {"client.id", client_id});
    set(*conf, {"log.queue", "true"});
    set(*conf, {"log_level", "5"});
    // False by default until librdkafka 2.10: it would hold back every small request.
    set(*conf, {"socket.nagle.disable", "true"});
    // A restarted broker should be found within a second, not ten.
    set(*conf, {"reconnect.backoff.ms", "50"});
    set(*conf, {"reconnect.backoff.max.ms", "1000"});
    set(*conf, {"allow.auto.create.topics", "false"});
    for (const auto& value : options) {
        set(*conf, value);
    }
    return conf;
}

rd_kafka_t* make_client(rd_kafka_type_t type, owned<rd_kafka_conf_t> conf) {
    std::array<char, 512> why{};
    auto* client = rd_kafka_new(type, conf.get(), why.data(), why.size());
    if (client == nullptr) {
        throw std::runtime_error(fmt::format("kafka: {}", why.data()));
    }
    [[maybe_unused]] auto* const given = conf.release(); // the client owns it now
    return client;
}

record to_record(const rd_kafka_message_t& message, std::string_view topic_prefix) {
    record read;
    const std::string_view topic = rd_kafka_topic_name(message.rkt);
    read.topic = topic.starts_with(topic_prefix) ? topic.substr(topic_prefix.size()) : topic;
    read.key = bytes_of(message.key, message.key_len);
    if (message.payload != nullptr) {
        read.value = bytes_of(message.payload, message.len);
    }
    read.headers = headers_of(message);
    read.partition = message.partition;
    read.offset = message.offset;
    rd_kafka_timestamp_type_t kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const auto time_ms = rd_kafka_message_timestamp(&message, &kind);
    if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
        read.time = timestamp(std::chrono::milliseconds(time_ms));
    }
    return read;
}

} // namespace relais::kafka::native
