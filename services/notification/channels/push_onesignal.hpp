#pragma once

#include "config/secret.hpp"
#include "notification/channels/channel.hpp"
#include "rest/client.hpp"

namespace relais::notification {

struct onesignal_settings {
    std::string url;
    std::string app_id;
    config::secret key;
    std::chrono::milliseconds timeout{10'000};
};

/// OneSignal's notifications: one call per person, with the delivery's id as idempotency key (valid
/// 30 days), so an ambiguous call is simply repeated.
class push_onesignal final : public provider_channel {
public:
    push_onesignal(onesignal_settings settings, metrics::registry& metrics, log::logger logger);

    std::string_view name() const override {
        return "onesignal";
    }

    ambiguity how_to_resolve() const override {
        return ambiguity::repeat_with_key;
    }

    std::size_t batch_max() const override {
        return 1;
    }

    std::size_t parallel_max() const override;

    boost::asio::awaitable<std::vector<send_outcome>> send(std::vector<outgoing> batch) override;
    boost::asio::awaitable<look_up_outcome> look_up(delivery_id id,
                                                    const trace::context& where) override;
    void stop() override;

private:
    boost::asio::awaitable<send_outcome> send_one(outgoing message);

    onesignal_settings settings_;
    rest::client client_;
};

} // namespace relais::notification
