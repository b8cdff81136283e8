#pragma once

#include "http/server.hpp"
#include "inbox/consumer.hpp"
#include "notification/config.hpp"
#include "notification/delivery/sender.hpp"
#include "notification/rendering/template_set.hpp"
#include "notification/webhooks/webhook_processor.hpp"
#include "outbox/bulk_pacer.hpp"
#include "outbox/relay.hpp"

#include <memory>

namespace relais::notification {

/// The service put together: members in the order in which they depend on each other.
class app {
public:
    app(const settings& given, host::process& process);

private:
    std::function<void()> waker(void (app::*wake)());
    void wake_senders();
    void wake_webhooks();
    void register_parts(const settings& given);

    host::process& process_;
    template_set templates_;
    composer composer_;
    pg::pool database_;
    outbox::relay relay_;
    outbox::bulk_pacer bulk_pacer_;
    std::unique_ptr<provider_channel> mail_;
    std::unique_ptr<provider_channel> push_;
    sender mail_sender_;
    sender push_sender_;
    webhook_processor webhooks_;
    inbox::consumer inbox_;
    http::server server_;
};

/// Throws when the templates are not sound.
std::unique_ptr<app> build(const settings& given, host::process& process);

} // namespace relais::notification
