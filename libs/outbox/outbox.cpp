#include "outbox/outbox.hpp"

#include "events/partitioner.hpp"
#include "events/topics.hpp"
#include "outbox/envelope_json.hpp"
#include "postgres/text_format.hpp"

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace relais::outbox {
namespace {

/// Brokers take 1 MiB per record by default; headers and framing need their part of it.
constexpr std::size_t size_max_bytes = std::size_t{900} * 1024;

constexpr std::size_t tenant_size_max = 200;
constexpr std::size_t statement_events_max = 1'000;
constexpr std::size_t statement_bytes_max = std::size_t{8} * 1024 * 1024;

std::vector<const append_interceptor::function*>& interceptors() {
    static std::vector<const append_interceptor::function*> all;
    return all;
}

/// What would make the broker refuse the record for good, and so hold up everything behind it.
void check(const events::event& value, std::size_t headers_size) {
    const auto* topic = events::find_topic(value.topic);
    if (topic == nullptr) {
        throw std::logic_error(
            fmt::format("event {}: unknown topic '{}'", value.type, value.topic));
    }
    if (!topic->written_by(value.source)) {
        throw std::logic_error(fmt::format("event {}: '{}' may not write to {}, '{}' does",
                                           value.type, value.source, topic->name, topic->producer));
    }
    if (value.key.empty()) {
        throw std::logic_error(fmt::format("event {}: no key", value.type));
    }
    if (value.tombstone && !topic->compacted) {
        throw std::logic_error(
            fmt::format("a tombstone on {}, which is not compacted", topic->name));
    }
    const auto size = value.payload.size() + value.key.size() + headers_size;
    if (size > size_max_bytes) {
        throw std::logic_error(
            fmt::format("event {}: {} bytes, {} at most", value.type, size, size_max_bytes));
    }
}

/// The columns of the rows to insert, as arrays.
class columns {
public:
    void add(const events::event& value, std::string headers) {
        bytes_ += headers.size() + 2 * value.payload.size(); // bytea travels as hexadecimal text
        ids_.push_back(value.id.text());
        topics_.push_back(value.topic);
        keys_.push_back(value.key);
        headers_.push_back(std::move(headers));
        tombstones_.emplace_back(value.tombstone ? "t" : "f");
        values_.push_back(pg::to_bytea(value.payload));
        partitions_.push_back(std::to_string(events::partition_of(value.key, value.topic)));
    }

    bool full() const {
        return ids_.size() >= statement_events_max || bytes_ >= statement_bytes_max;
    }

    void insert(pg::transaction& tx) const {
        // The numbers (seq) are drawn in the order of the arrays.
        tx.exec("insert into outbox_event (id, topic, key, headers, value, partition)"
                " select id, topic, key, headers, case when not tombstone then value end, partition"
                " from unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::bytea[],"
                " $6::boolean[], $7::int[]) with ordinality"
                " as e (id, topic, key, headers, value, tombstone, partition, place)"
                " order by place",
                parameters());
    }

    void stage(pg::transaction& tx, std::string_view tenant) const {
        auto all = parameters();
        all.emplace_back(tenant);
        // From the tenant's last turn on, or from where the queue stands.
        tx.exec("insert into outbox_bulk"
                " (tenant, turn, id, topic, key, headers, value, partition)"
                " select $8, start.turn + place, id, topic, key, headers,"
                " case when not tombstone then value end, partition"
                " from unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::bytea[],"
                " $6::boolean[], $7::int[]) with ordinality"
                " as e (id, topic, key, headers, value, tombstone, partition, place),"
                " (select greatest((select max(turn) from outbox_bulk where tenant = $8),"
                "   (select min(turn) - 1 from outbox_bulk), 0) as turn) as start"
                " order by place",
                all);
    }

private:
    std::vector<pg::parameter> parameters() const {
        return {pg::parameter::array(ids_),       pg::parameter::array(topics_),
                pg::parameter::array(keys_),      pg::parameter::array(headers_),
                pg::parameter::array(values_),    pg::parameter::array(tombstones_),
                pg::parameter::array(partitions_)};
    }

    std::size_t bytes_ = 0;
    std::vector<std::string> ids_;
    std::vector<std::string> topics_;
    std::vector<std::string> keys_;
    std::vector<std::string> headers_;
    std::vector<std::string> values_;
    std::vector<std::string> tombstones_;
    std::vector<std::string> partitions_;
};

/// Checked, a statement's worth each.
std::vector<columns> to_statements(std::span<const events::event> values) {
    std::vector<columns> statements;
    for (const auto& value : values) {
        if (statements.empty() || statements.back().full()) {
            statements.emplace_back();
        }
        auto headers = headers_to_json(events::to_headers(value));
        check(value, headers.size());
        statements.back().add(value, std::move(headers));
    }
    return statements;
}

std::vector<columns> to_statements(pg::transaction& tx, std::span<const events::event> values) {
    if (interceptors().empty()) {
        return to_statements(values);
    }
    std::vector<events::event> changed(values.begin(), values.end());
    for (auto& value : changed) {
        for (const auto* each : interceptors()) {
            (*each)(tx, value);
        }
    }
    return to_statements(changed);
}

} // namespace

append_interceptor::append_interceptor(function each) : each_(std::move(each)) {
    interceptors().push_back(&each_);
}

append_interceptor::~append_interceptor() {
    std::erase(interceptors(), &each_);
}

void append(pg::transaction& tx, const events::event& value) {
    append(tx, std::span(&value, 1));
}

void append(pg::transaction& tx, std::span<const events::event> values) {
    for (const auto& each : to_statements(tx, values)) {
        each.insert(tx);
    }
}

void append_bulk(pg::transaction& tx, std::span<const events::event> values,
                 std::string_view tenant) {
    if (tenant.size() > tenant_size_max) {
        throw std::logic_error(
            fmt::format("a tenant's name has {} bytes at most", tenant_size_max));
    }
    for (const auto& each : to_statements(tx, values)) {
        each.stage(tx, tenant);
    }
}

} // namespace relais::outbox
