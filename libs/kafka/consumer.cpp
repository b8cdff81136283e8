#include "kafka/consumer.hpp"

#include "kafka/consumer_state.hpp"
#include "kafka/fetched.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace asio = boost::asio;

namespace relais::kafka {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::size_t fetched_at_once = 64;

} // namespace

consumer::consumer(consumer_settings settings, asio::io_context& loop, metrics::registry& metrics,
                   log::logger logger)
    : state_(std::make_unique<state>(std::move(settings), loop, metrics, std::move(logger))) {}

consumer::~consumer() = default;

asio::awaitable<void> consumer::wait() {
    co_await state_->changed.wait();
}

std::optional<rebalance> consumer::take_rebalance() {
    if (state_->pending.empty()) {
        return std::nullopt;
    }
    auto next = std::move(state_->pending.front());
    state_->pending.pop_front();
    return next;
}

void consumer::assign(const std::vector<partition_start>& partitions) {
    state_->release_queues();
    state_->ends.clear();
    const auto list = make_list(partitions.size());
    for (const auto& [where, offset] : partitions) {
        const std::string topic = state_->settings.topic_prefix + where.topic;
        auto* entry = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), where.partition);
        entry->offset = offset.value_or(RD_KAFKA_OFFSET_BEGINNING);
        native::owned<rd_kafka_queue_t> queue(
            rd_kafka_queue_get_partition(state_->client, topic.c_str(), where.partition));
        rd_kafka_queue_forward(queue.get(), nullptr);
        state_->pump->wake_on(*queue);
        state_->queues.emplace(where, std::move(queue));
    }
    state_->note(rd_kafka_assign(state_->client, list.get()), "assign");
    state_->partitions.set(static_cast<double>(partitions.size()));
}

void consumer::unassign() {
    state_->unassign();
}

bool consumer::has_records(const topic_partition& from) const {
    const auto queue = state_->queues.find(from);
    return queue != state_->queues.end() && rd_kafka_queue_length(queue->second.get()) > 0;
}

std::vector<record> consumer::take(const topic_partition& from, std::size_t records_max,
                                   std::size_t bytes_max) {
    const auto taken = fetch(from, records_max, bytes_max);
    std::vector<record> records;
    records.reserve(taken.size());
    for (std::size_t i = 0; i < taken.size(); ++i) {
        records.push_back(taken[i].copy());
    }
    return records;
}

fetched consumer::fetch(const topic_partition& from, std::size_t records_max,
                        std::size_t bytes_max) {
    fetched taken;
    const auto queue = state_->queues.find(from);
    if (queue == state_->queues.end()) {
        return taken;
    }
    taken.state_->topic = from.topic;
    auto& bytes = taken.state_->bytes;
    std::array<rd_kafka_message_t*, fetched_at_once> some{};
    while (taken.size() < records_max && bytes < bytes_max) {
        const auto asked = std::min(records_max - taken.size(), some.size());
        const auto got = rd_kafka_consume_batch_queue(queue->second.get(), 0, some.data(), asked);
        for (auto* each :
             std::span(some).first(static_cast<std::size_t>(std::max<ssize_t>(got, 0)))) {
            native::owned_message message(each);
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                state_->ends[from] = message->offset;
                continue;
            }
            if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                state_->note(message->err, rd_kafka_message_errstr(message.get()));
                continue;
            }
            bytes += message->len + message->key_len;
            taken.state_->messages.push_back(std::move(message));
        }
        if (got < static_cast<ssize_t>(asked)) {
            break;
        }
    }
    if (!taken.empty()) {
        state_->is_down = false;
    }
    return taken;
}

void consumer::store_offset(const topic_partition& where, std::int64_t next) {
    if (!state_->queues.contains(where)) {
        return;
    }
    const auto list = make_list(1);
    rd_kafka_topic_partition_list_add(
        list.get(), (state_->settings.topic_prefix + where.topic).c_str(), where.partition)
        ->offset = next;
    state_->note(rd_kafka_offsets_store(state_->client, list.get()), "store offset");
}

std::optional<std::int64_t> consumer::end_offset(const topic_partition& where) const {
    std::int64_t first = 0;
    std::int64_t next = 0;
    const auto code = rd_kafka_get_watermark_offsets(
        state_->client, (state_->settings.topic_prefix + where.topic).c_str(), where.partition,
        &first, &next);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || next < 0) {
        return std::nullopt;
    }
    return next;
}

std::optional<std::int64_t> consumer::read_through(const topic_partition& where) const {
    const auto end = state_->ends.find(where);
    return end == state_->ends.end() ? std::nullopt : std::optional(end->second);
}

bool consumer::broker_down() const {
    return state_->is_down;
}

bool consumer::fatal() const {
    return state_->is_fatal;
}

asio::awaitable<void> consumer::close(std::chrono::milliseconds at_most) {
    if (state_->settings.topics.empty() || state_->closing) {
        co_return;
    }
    state_->closing.reset(rd_kafka_queue_new(state_->client));
    state_->pump->wake_on(*state_->closing);
    if (!state_->pending.empty()) {
        state_->pending.clear();
        state_->unassign();
    }
    const native::owned<rd_kafka_error_t> refused(
        rd_kafka_consumer_close_queue(state_->client, state_->closing.get()));
    if (refused) {
        state_->note(rd_kafka_error_code(refused.get()), rd_kafka_error_string(refused.get()));
        co_return;
    }
    const auto until = steady::now() + at_most;
    while (rd_kafka_consumer_closed(state_->client) == 0 && steady::now() < until) {
        co_await state_->changed.wait_for(std::chrono::milliseconds(20));
    }
}

} // namespace relais::kafka
