#pragma once

// For admin.cpp only.

#include "kafka/admin.hpp"
#include "kafka/errors.hpp"
#include "kafka/native.hpp"

#include <array>
#include <memory>

namespace relais::kafka {

struct destroy_more {
    void operator()(rd_kafka_NewTopic_t* value) const {
        rd_kafka_NewTopic_destroy(value);
    }

    void operator()(rd_kafka_DeleteTopic_t* value) const {
        rd_kafka_DeleteTopic_destroy(value);
    }

    void operator()(rd_kafka_ConfigResource_t* value) const {
        rd_kafka_ConfigResource_destroy(value);
    }

    void operator()(rd_kafka_AdminOptions_t* value) const {
        rd_kafka_AdminOptions_destroy(value);
    }

    void operator()(const rd_kafka_metadata_t* value) const {
        rd_kafka_metadata_destroy(value);
    }
};

template <class T>
using held = std::unique_ptr<T, destroy_more>;

inline std::unexpected<error> refused(rd_kafka_resp_err_t code, std::string_view detail) {
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return fail(error_kind::conflict, "topic-exists", std::string(detail));
    }
    return std::unexpected(classify(code, detail));
}

struct admin::state {
    state(const std::string& brokers, const std::string& client_id, std::chrono::milliseconds limit)
        : timeout_ms(static_cast<int>(limit.count())),
          client(native::make_client(
              RD_KAFKA_PRODUCER,
              native::make_conf(brokers, client_id, {{"log.queue", "false"}, {"log_level", "0"}}))),
          answers(rd_kafka_queue_new(client)) {}

    ~state() {
        answers.reset();
        rd_kafka_destroy(client);
    }

    state(const state&) = delete;
    state& operator=(const state&) = delete;

    held<rd_kafka_AdminOptions_t> options(rd_kafka_admin_op_t operation) const {
        held<rd_kafka_AdminOptions_t> made(rd_kafka_AdminOptions_new(client, operation));
        std::array<char, 256> why{};
        rd_kafka_AdminOptions_set_request_timeout(made.get(), timeout_ms, why.data(), why.size());
        if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS ||
            operation == RD_KAFKA_ADMIN_OP_DELETETOPICS) {
            rd_kafka_AdminOptions_set_operation_timeout(made.get(), timeout_ms, why.data(),
                                                        why.size());
        }
        return made;
    }

    /// The answer to the one operation under way.
    result<native::owned<rd_kafka_event_t>> answer() const {
        native::owned<rd_kafka_event_t> event(
            rd_kafka_queue_poll(answers.get(), timeout_ms + 1'000));
        if (!event) {
            return std::unexpected(classify(RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer"));
        }
        const auto code = rd_kafka_event_error(event.get());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refused(code, rd_kafka_event_error_string(event.get()));
        }
        return event;
    }

    result<held<const rd_kafka_metadata_t>> metadata(rd_kafka_topic_t* only) const {
        const rd_kafka_metadata_t* found = nullptr;
        const auto code =
            rd_kafka_metadata(client, only == nullptr ? 1 : 0, only, &found, timeout_ms);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refused(code, "metadata");
        }
        return held<const rd_kafka_metadata_t>(found);
    }

    int timeout_ms;
    rd_kafka_t* client;
    native::owned<rd_kafka_queue_t> answers;
};

} // namespace relais::kafka
