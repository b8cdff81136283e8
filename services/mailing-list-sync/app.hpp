#pragma once

#include "http/server.hpp"
#include "inbox/consumer.hpp"
#include "mailing-list-sync/campaigns/templates.hpp"
#include "mailing-list-sync/config.hpp"
#include "mailing-list-sync/workers/campaign_sync.hpp"
#include "mailing-list-sync/workers/contact_sync.hpp"
#include "mailing-list-sync/workers/provider_setup.hpp"
#include "mailing-list-sync/workers/webhook_processor.hpp"
#include "outbox/bulk_pacer.hpp"
#include "outbox/relay.hpp"

#include <memory>

namespace relais::mailing_list_sync {

/// The service put together: members in the order in which they depend on each other.
class app {
public:
    app(const settings& given, host::process& process);

private:
    std::function<void()> waker(void (app::*wake)());
    void wake_contacts();
    void wake_campaigns();
    void wake_webhooks();
    void register_parts(const settings& given);

    host::process& process_;
    campaign_templates templates_;
    pg::pool database_;
    outbox::relay relay_;
    outbox::bulk_pacer bulk_pacer_;
    brevo provider_;
    list_directory lists_;
    contact_sync contact_sync_;
    campaign_sync campaign_sync_;
    webhook_processor webhooks_;
    provider_setup setup_;
    inbox::consumer inbox_;
    http::server server_;
};

std::unique_ptr<app> build(const settings& given, host::process& process);

} // namespace relais::mailing_list_sync
