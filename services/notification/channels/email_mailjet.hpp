#pragma once

#include "config/secret.hpp"
#include "notification/channels/channel.hpp"
#include "rest/client.hpp"

#include <memory>

namespace relais::notification {

struct mailjet_settings {
    std::string url;
    std::string key;
    config::secret secret;
    mailbox from;
    std::chrono::milliseconds timeout{10'000};
};

/// Mailjet's Send API v3.1: up to 50 mails a call, each with its own result; no idempotency key, so
/// the delivery's id travels as CustomID and is what an ambiguous call is looked up by.
class email_mailjet final : public provider_channel {
public:
    email_mailjet(mailjet_settings settings, metrics::registry& metrics, log::logger logger);

    std::string_view name() const override {
        return "mailjet";
    }

    ambiguity how_to_resolve() const override {
        return ambiguity::look_up;
    }

    std::size_t batch_max() const override {
        return 50;
    }

    std::size_t parallel_max() const override;

    boost::asio::awaitable<std::vector<send_outcome>> send(std::vector<outgoing> batch) override;
    boost::asio::awaitable<look_up_outcome> look_up(delivery_id id,
                                                    const trace::context& where) override;
    void stop() override;

private:
    boost::asio::awaitable<std::vector<send_outcome>>
    send_one_by_one(std::vector<outgoing> batch, std::chrono::steady_clock::time_point until);
    rest::call call_for(std::string method, std::string target) const;

    mailjet_settings settings_;
    std::string authorization_;
    rest::client client_;
};

} // namespace relais::notification
