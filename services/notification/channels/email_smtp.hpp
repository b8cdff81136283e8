#pragma once

#include "async/worker_pool.hpp"
#include "notification/channels/channel.hpp"
#include "notification/channels/smtp_session.hpp"

namespace relais::notification {

/// A relay by SMTP: one mail a session, on a pool of its own named smtp. There is neither key nor
/// look-up; the Message-ID stays the same when a mail is repeated.
class email_smtp final : public provider_channel {
public:
    email_smtp(smtp_settings settings, mailbox from, metrics::registry& metrics);

    std::string_view name() const override {
        return "smtp";
    }

    ambiguity how_to_resolve() const override {
        return ambiguity::repeat_once;
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

    smtp_settings settings_;
    mailbox from_;
    async::worker_pool pool_;
};

} // namespace relais::notification
