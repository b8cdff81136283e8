#pragma once

// For the .cpp files of this library only: rdkafka must not leak through public headers.

#include "kafka/record.hpp"

#include <librdkafka/rdkafka.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace relais::kafka::native {

struct destroy {
    void operator()(rd_kafka_conf_t* value) const {
        rd_kafka_conf_destroy(value);
    }

    void operator()(rd_kafka_queue_t* value) const {
        rd_kafka_queue_destroy(value);
    }

    void operator()(rd_kafka_topic_t* value) const {
        rd_kafka_topic_destroy(value);
    }

    void operator()(rd_kafka_event_t* value) const {
        rd_kafka_event_destroy(value);
    }

    void operator()(rd_kafka_topic_partition_list_t* value) const {
        rd_kafka_topic_partition_list_destroy(value);
    }

    void operator()(rd_kafka_headers_t* value) const {
        rd_kafka_headers_destroy(value);
    }

    void operator()(rd_kafka_error_t* value) const {
        rd_kafka_error_destroy(value);
    }
};

template <class T>
using owned = std::unique_ptr<T, destroy>;

using option = std::pair<const char*, std::string>;

/// A configuration with our common settings (brokers, client id, log level, no Nagle) and these on
/// top. A refused option is a bug or a wrong RELAIS_KAFKA_BROKERS: throws std::runtime_error.
owned<rd_kafka_conf_t> make_conf(const std::string& brokers, const std::string& client_id,
                                 std::initializer_list<option> options);

/// Throws std::runtime_error.
rd_kafka_t* make_client(rd_kafka_type_t type, owned<rd_kafka_conf_t> conf);

struct destroy_message {
    void operator()(rd_kafka_message_t* value) const {
        rd_kafka_message_destroy(value);
    }
};

using owned_message = std::unique_ptr<rd_kafka_message_t, destroy_message>;

} // namespace relais::kafka::native
