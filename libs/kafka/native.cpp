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

} // namespace relais::kafka::native
