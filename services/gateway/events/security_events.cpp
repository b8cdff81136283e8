#include "gateway/events/security_events.hpp"

#include <algorithm>
#include <array>
#include <relais/edge/v1/security_events.pb.h>

namespace relais::gateway {
namespace {

constexpr std::array<std::string_view, 4> watched{"protocol_error", "invalid_token",
                                                  "body_too_large", "http2_abuse"};

} // namespace

security_events::security_events(kafka::producer& producer, const clock& time, std::string instance,
                                 metrics::registry& metrics)
    : producer_(producer), time_(time), instance_(std::move(instance)),
      sent_(metrics.counter("gateway_security_events_total", "Security events by outcome",
                            {{"result", "sent"}})),
      dropped_(metrics.counter("gateway_security_events_total", "Security events by outcome",
                               {{"result", "dropped"}})) {}

void security_events::refused(const exchange_record& record) {
    if (std::ranges::find(watched, record.reason) == watched.end()) {
        return;
    }
    edge::v1::RequestRefused message;
    message.set_instance(instance_);
    message.set_request_id(record.request_id);
    message.set_reason(record.reason);
    message.set_route(record.route);
    message.set_status(static_cast<std::uint32_t>(record.status));
    const auto why = events::cause::from_request(record.trace, record.request_id);
    const auto event = events::make_event(message, "gateway", why, time_.now());
    const auto queued = producer_.send(kafka::to_record(event), [this](const auto& delivered) {
        (delivered ? sent_ : dropped_).increment();
    });
    if (!queued) {
        dropped_.increment();
    }
}

} // namespace relais::gateway
