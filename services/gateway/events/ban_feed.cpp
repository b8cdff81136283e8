#include "gateway/events/ban_feed.hpp"

#include "async/signal.hpp"

#include <boost/asio/post.hpp>

#include <relais/edge/v1/ban_events.pb.h>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::chrono::milliseconds look_for_expired{1'000};

metrics::counter events(metrics::registry& metrics, const char* outcome) {
    return metrics.counter("gateway_ban_events_total", "Events about bans, by what came of them",
                           {{"result", outcome}});
}

timestamp time_of(const google::protobuf::Timestamp& given) {
    return timestamp(std::chrono::microseconds(given.seconds() * 1'000'000 + given.nanos() / 1000));
}

} // namespace

ban_feed::ban_feed(std::chrono::milliseconds wait, publish told, const clock& time,
                   asio::io_context& loop, metrics::registry& metrics, log::logger logger)
    : told_(std::move(told)), time_(time), loop_(loop), logger_(std::move(logger)),
      in_force_(metrics.gauge("gateway_bans_in_force", "Addresses and networks that are refused")),
      applied_(events(metrics, "applied")), rejected_(events(metrics, "rejected")),
      ready_at_(std::chrono::steady_clock::now() + wait) {}

asio::awaitable<void> ban_feed::expire() {
    while (true) {
        co_await async::sleep_for(look_for_expired);
        const auto now = time_.now();
        if (std::erase_if(bans_, [&](const auto& each) { return each.second.expires_at <= now; }) >
            0) {
            publish_soon();
        }
    }
}

void ban_feed::on_record(const kafka::record& record) {
    const auto event = kafka::to_event(record);
    if (event && event->type == edge::v1::AddressBanned::descriptor()->full_name()) {
        const auto banned = events::decode<edge::v1::AddressBanned>(*event);
        const auto prefix = cidr::parse(banned ? banned->prefix() : std::string());
        if (prefix) {
            set({*prefix, time_of(banned->expires_at()), banned->reason()});
            return;
        }
    } else if (event && event->type == edge::v1::BanLifted::descriptor()->full_name()) {
        const auto lifted = events::decode<edge::v1::BanLifted>(*event);
        const auto prefix = cidr::parse(lifted ? lifted->prefix() : std::string());
        if (prefix) {
            bans_.erase(*prefix);
            applied_.increment();
            publish_soon();
            return;
        }
    } else if (event) {
        return; // of a version to come
    }
    rejected_.increment();
    logger_.warn("ban.unreadable", {{"key", record.key}, {"offset", record.offset}});
}

void ban_feed::set(ban added) {
    if (added.expires_at <= time_.now()) {
        bans_.erase(added.prefix); // it took the place of another one
    } else {
        const auto prefix = added.prefix;
        bans_.insert_or_assign(prefix, std::move(added));
    }
    applied_.increment();
    publish_soon();
}

/// All that is read in one go makes one list.
void ban_feed::publish_soon() {
    if (!publishing_) {
        publishing_ = true;
        asio::post(loop_, [this] { publish_now(); });
    }
}

void ban_feed::publish_now() {
    publishing_ = false;
    std::vector<ban> all;
    all.reserve(bans_.size());
    for (const auto& [prefix, each] : bans_) {
        all.push_back(each);
    }
    auto list = std::make_shared<const ban_list>(std::move(all), time_.now());
    if (list->dropped() > 0) {
        logger_.warn("ban.too_many", {{"dropped", list->dropped()}, {"kept", list->size()}});
        bans_.clear();
        for (const auto& each : list->all()) {
            bans_.emplace(each.prefix, each);
        }
    }
    in_force_.set(static_cast<double>(list->size()));
    told_(std::move(list));
}

result<void> ban_feed::is_ready(bool known) const {
    if (known || std::chrono::steady_clock::now() >= ready_at_) {
        return {};
    }
    return fail(error_kind::unavailable, "bans-unknown", "the bans in force are being read");
}

} // namespace relais::gateway
