#include "gateway/events/security_events.hpp"

#include <algorithm>
#include <array>
#include <relais/edge/v1/security_events.pb.h>

namespace relais::gateway {
namespace {

constexpr std::array watched{error_reason::protocol_error, error_reason::header_too_large,
                             error_reason::uri_too_long,   error_reason::body_too_large,
                             error_reason::invalid_token,  error_reason::http2_abuse};

} // namespace

security_events::security_events(kafka::producer& producer, const access_names& names,
                                 const clock& time, std::string instance,
                                 metrics::registry& metrics)
    : producer_(producer), names_(names), time_(time), instance_(std::move(instance)),
      sent_(metrics.counter("gateway_security_events_total", "Security events by outcome",
                            {{"result", "sent"}})),
      dropped_(metrics.counter("gateway_security_events_total", "Security events by outcome",
                               {{"result", "dropped"}})) {}

void security_events::refused(const access_record& record) {
    if (std::ranges::find(watched, record.reason) == watched.end()) {
        return;
    }
    edge::v1::RequestRefused message;
    message.set_instance(instance_);
    message.set_request_id(std::string(record.request_id.view()));
    message.set_reason(std::string(to_string(record.reason)));
    message.set_route(std::string(names_.routes.name(record.route)));
    message.set_status(record.status);
    const auto why =
        events::cause::from_request(record.trace, std::string(record.request_id.view()));
    const auto event = events::make_event(message, "gateway", why, time_.now());
    const auto queued = producer_.send(kafka::to_record(event), [this](const auto& delivered) {
        (delivered ? sent_ : dropped_).increment();
    });
    if (!queued) {
        dropped_.increment();
    }
}

} // namespace relais::gateway
