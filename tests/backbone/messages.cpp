#include "backbone/messages.hpp"

#include "relais/market/v1/job_events.pb.h"
#include "relais/marketing/v1/campaign_requests.pb.h"

#include <fmt/format.h>

#include <charconv>
#include <random>

namespace relais::backbone {

namespace {

constexpr std::size_t padding_bytes = 100;

/// Text that nothing can compress.
std::string noise(std::int64_t seed, std::size_t bytes) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    std::string text;
    while (text.size() < bytes) {
        text += fmt::format("{:016x}", random());
    }
    return text;
}

} // namespace

events::event make_event(const std::string& key, std::int64_t n, std::size_t noise_bytes) {
    market::v1::JobPublished message;
    message.set_job_id(key);
    message.set_category(std::to_string(n));
    message.set_requester_id("0190163d-8694-739b-aea5-966c26f8ad91");
    message.set_locality(noise_bytes > 0 ? noise(n, noise_bytes) : std::string(padding_bytes, 'x'));
    message.mutable_budget()->set_amount_minor(12'500);
    message.mutable_budget()->set_currency("EUR");
    return events::make_event(message, "web-api",
                              events::cause::from_request(trace::context::start(), "backbone"),
                              system_clock().now());
}

events::event make_bulk_event(std::int64_t n) {
    marketing::v1::CampaignRequested message;
    message.set_campaign_id("c-" + std::to_string(n));
    message.set_name(std::string(padding_bytes, 'x'));
    message.set_requested_by("0190163d-8694-739b-aea5-966c26f8ad91");
    return events::make_event(message, "web-api",
                              events::cause::from_request(trace::context::start(), "backbone"),
                              system_clock().now());
}

std::int64_t number_of(const std::string& category) {
    std::int64_t n = 0;
    std::from_chars(category.data(), category.data() + category.size(), n);
    return n;
}

} // namespace relais::backbone
