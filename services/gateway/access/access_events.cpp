#include "gateway/access/access_events.hpp"

#include "gateway/access/shown_address.hpp"
#include "log/json_text.hpp"

#include <algorithm>
#include <exception>
#include <relais/edge/v1/access_events.pb.h>
#include <utility>

namespace relais::gateway {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view topic = "edge.access.events.v1";
/// Nobody waits for them: fewer, larger batches.
constexpr std::chrono::milliseconds linger{100};
constexpr std::chrono::seconds producer_again_after{5};

kafka::producer_settings producer_of(const access_settings& settings) {
    return {.brokers = settings.kafka_brokers,
            .client_id = settings.instance + "-access",
            .linger = linger,
            .queue_max_messages = settings.events_in_flight_max,
            .topic_prefix = settings.topic_prefix,
            .topics = {std::string(topic)}};
}

void set_start(edge::v1::AccessLogged& message, timestamp start) {
    const auto second = std::chrono::floor<std::chrono::seconds>(start);
    auto& into = *message.mutable_started_at();
    into.set_seconds(second.time_since_epoch().count());
    into.set_nanos(static_cast<std::int32_t>(std::chrono::nanoseconds(start - second).count()));
}

void set_phases(edge::v1::AccessLogged& message, const access_record& record) {
    const auto us = [](std::chrono::microseconds duration) {
        return static_cast<std::uint64_t>(duration.count());
    };
    message.set_duration_us(us(std::max(record.total, std::chrono::microseconds(0))));
    if (record.queue != not_reached) {
        message.set_queue_us(us(record.queue));
    }
    if (record.connect != not_reached) {
        message.set_connect_us(us(record.connect));
    }
    if (record.service != not_reached) {
        message.set_service_us(us(record.service));
    }
    if (record.transfer != not_reached) {
        message.set_transfer_us(us(record.transfer));
    }
}

void set_texts(edge::v1::AccessLogged& message, const access_record& record) {
    message.set_request_id(record.request_id.empty() ? make_uuid_v7().text()
                                                     : log::well_formed(record.request_id.view()));
    message.set_method(log::well_formed(record.method.view()));
    message.set_path(log::well_formed(record.path.view()));
    message.set_user_agent(log::well_formed(record.user_agent.view()));
    if (record.account) {
        message.set_account_id(record.account->text());
    }
    append_client(*message.mutable_client_network(), record, client_shown::network);
}

} // namespace

metrics::counter access_dropped(metrics::registry& metrics, const char* cause) {
    return metrics.counter("gateway_access_dropped_total", "Access log lines and events dropped",
                           {{"cause", cause}});
}

void fill_in(edge::v1::AccessLogged& message, const access_record& record,
             const access_names& names, std::string_view instance, double weight) {
    const auto name = [](const name_table& of, std::uint16_t index) {
        return log::well_formed(of.name(index));
    };
    message.Clear();
    set_texts(message, record);
    set_start(message, record.start);
    set_phases(message, record);
    message.set_instance(std::string(instance));
    message.set_route(name(names.routes, record.route));
    message.set_upstream(name(names.upstreams, record.upstream));
    message.set_upstream_instance(name(names.instances, record.upstream_instance));
    message.set_protocol(std::string(to_string(record.protocol)));
    message.set_tls(record.tls);
    message.set_status(record.status);
    message.set_error_reason(std::string(to_string(record.reason)));
    message.set_heroku_code(std::string(heroku_code(record.reason)));
    message.set_request_bytes(record.request_bytes);
    message.set_response_bytes(record.response_bytes);
    message.set_retries(record.retries);
    message.set_hedged(record.hedged);
    message.set_connection_reused(record.connection_reused);
    message.set_cache(std::string(to_string(record.cache)));
    message.set_weight(weight);
}

access_events::access_events(const access_settings& settings, const access_names& names,
                             boost::asio::io_context& loop, metrics::registry& metrics,
                             log::logger logger)
    : settings_(settings), names_(names), loop_(loop), metrics_(metrics),
      logger_(std::move(logger)),
      sent_(metrics.counter("gateway_access_events_total", "Access events the broker has",
                            {{"result", "sent"}})),
      broker_(access_dropped(metrics, "broker")), budget_(access_dropped(metrics, "budget")) {
    producer_.emplace(producer_of(settings_), loop_, metrics_, logger_);
}

void access_events::publish(const access_record& record, double weight) {
    const auto now = steady::now();
    if (!has_budget(now)) {
        budget_.increment();
        return;
    }
    if (!has_producer(now)) {
        broker_.increment();
        return;
    }
    edge::v1::AccessLogged message;
    fill_in(message, record, names_, settings_.instance, weight);
    const auto why = events::cause::from_request(record.trace, message.request_id());
    const auto event =
        events::make_event(message, settings_.service, why, record.start + record.total);
    const auto queued = producer_->send(kafka::to_record(event), [this](const auto& delivered) {
        (delivered ? sent_ : broker_).increment();
    });
    if (!queued) {
        broker_.increment();
    }
}

bool access_events::has_budget(steady::time_point now) {
    if (now - second_began_ >= std::chrono::seconds(1)) {
        second_began_ = now;
        in_second_ = 0;
    }
    return in_second_++ < settings_.events_per_second_max;
}

/// A producer that cannot go on is replaced, but not again and again.
bool access_events::has_producer(steady::time_point now) {
    if (producer_ && !producer_->fatal()) {
        return true;
    }
    if (now < retry_at_) {
        return false;
    }
    retry_at_ = now + producer_again_after;
    abandon();
    try {
        producer_.emplace(producer_of(settings_), loop_, metrics_, logger_);
    } catch (const std::exception& failed) {
        logger_.error("access_events.no_producer", {{"error", failed.what()}});
    }
    return producer_.has_value();
}

std::size_t access_events::in_flight() const {
    return producer_ ? producer_->in_flight() : 0;
}

void access_events::abandon() {
    if (producer_) {
        broker_.increment(static_cast<double>(producer_->in_flight()));
        producer_.reset();
    }
}

} // namespace relais::gateway
