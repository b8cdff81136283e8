#pragma once

#include "clock/clock.hpp"
#include "config/secret.hpp"
#include "log/logger.hpp"
#include "mailing-list-sync/domain/membership.hpp"
#include "mailing-list-sync/domain/rate_limit.hpp"
#include "mailing-list-sync/store/lists.hpp"
#include "metrics/registry.hpp"
#include "rest/client.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace relais::mailing_list_sync {

struct brevo_settings {
    std::string url; ///< https://api.brevo.com
    config::secret key;
    // What the account's plan allows (provider-side limits; 10/s and 100/h on the default plan).
    std::int64_t contact_calls_per_second = 10;
    std::int64_t other_calls_per_hour = 100;
};

/// One change of one contact.
struct contact_change {
    std::string account_id; ///< ext_id there
    shadow wanted;
    std::vector<std::int64_t> add_to;
    std::vector<std::int64_t> remove_from;
    /// A newer, proven yes after an opt-out there: the only case in which the block is lifted.
    bool lift_block = false;
};

struct campaign_content {
    std::string name;
    std::string tag; ///< how we find it again after an answer was lost
    std::string subject;
    std::string html;
    std::string sender_name;
    std::string sender_email;
    std::vector<std::int64_t> list_ids;
};

struct remote_campaign {
    std::int64_t id = 0;
    std::string status; ///< draft, queued, inProcess, sent, suspended …
    std::int64_t sent = 0;
    std::int64_t delivered = 0;
    std::int64_t unsubscribed = 0;
};

/// Brevo's API v3, under its rate limits: one for contacts, one for the rest.
/// Errors by structure, never by message: `rate_limited` (with retry_after), `unavailable` (5xx,
/// 425, no answer; every call here may be repeated), `forbidden` / "provider-refuses-us" (401, 402,
/// 403: nobody's call will work), `not_found`, `conflict` / "duplicate-contact", `invalid`.
class brevo {
public:
    brevo(brevo_settings settings, metrics::registry& metrics, log::logger logger);

    boost::asio::awaitable<result<void>> create_contact(contact_change change, urgency how,
                                                        trace::context where);
    /// `not_found` when the provider does not know the ext_id.
    boost::asio::awaitable<result<void>> update_contact(contact_change change, urgency how,
                                                        trace::context where);
    /// Also fine when it is not there.
    boost::asio::awaitable<result<void>> delete_contact(std::string account_id,
                                                        trace::context where);

    /// All lists by name.
    boost::asio::awaitable<result<list_ids>> lists(trace::context where);
    boost::asio::awaitable<result<std::int64_t>> create_list(std::string name,
                                                             trace::context where);

    /// Registers our marketing webhook unless a webhook with this URL exists.
    boost::asio::awaitable<result<void>> ensure_webhook(std::string url, config::secret token,
                                                        trace::context where);

    boost::asio::awaitable<result<std::int64_t>> create_campaign(campaign_content content,
                                                                 trace::context where);
    boost::asio::awaitable<result<void>> send_campaign(std::int64_t id, trace::context where);
    boost::asio::awaitable<result<remote_campaign>> campaign(std::int64_t id, trace::context where);
    /// Among the newest hundred, by tag.
    boost::asio::awaitable<result<std::optional<remote_campaign>>>
    find_campaign(std::string tag, trace::context where);

    void stop();

private:
    enum class family { contacts, rest };
    boost::asio::awaitable<result<rest::answer>> ask(family which, urgency how, rest::call what,
                                                     trace::context where);
    boost::asio::awaitable<void> wait_for_turn(family which, urgency how);
    void learn_rate(rate_limit& limit, const rest::answer& answer);

    brevo_settings settings_;
    rest::client client_;
    rate_limit contacts_limit_;
    rate_limit rest_limit_;
    metrics::gauge remaining_;
};

/// What an answer means; pure, tested with a table.
result<void> classify(const rest::answer& answer);

} // namespace relais::mailing_list_sync
