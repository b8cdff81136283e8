#pragma once

#include "notification/delivery/outcome.hpp"
#include "notification/domain/address.hpp"
#include "notification/domain/kinds.hpp"
#include "notification/rendering/template_set.hpp"
#include "trace/context.hpp"

#include <boost/asio/awaitable.hpp>

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace relais::notification {

struct outgoing_mail {
    mailbox to;
    std::string language;
    mail_text content;
};

struct outgoing_push {
    std::vector<std::string> subscriptions;
    std::map<std::string, push_text>
        content; ///< by language; the fallback language is always there
    std::string link;
    std::map<std::string, std::string> data; ///< for the app
    std::chrono::seconds useful_for{0};
};

/// A message on its way, complete.
struct outgoing {
    delivery_id id; ///< what the provider keeps as our key
    trace::context trace;
    timestamp made_at{};
    std::variant<outgoing_mail, outgoing_push> content;
};

/// One provider of one channel. Never throws; what it returns tells for each message, in the order
/// given, what is known about it.
class provider_channel {
public:
    virtual ~provider_channel() = default;

    /// Metric label and the ledger's word.
    virtual std::string_view name() const = 0;
    virtual ambiguity how_to_resolve() const = 0;
    virtual std::size_t batch_max() const = 0;
    /// Batches that may be on their way at the same time.
    virtual std::size_t parallel_max() const = 0;

    /// At most batch_max() messages. Not cut short by cancellation.
    virtual boost::asio::awaitable<std::vector<send_outcome>> send(std::vector<outgoing> batch) = 0;

    /// Only for ambiguity::look_up.
    virtual boost::asio::awaitable<look_up_outcome> look_up(delivery_id id,
                                                            const trace::context& where) = 0;

    /// Lets calls on their way end; blocks.
    virtual void stop() = 0;

protected:
    provider_channel() = default;
    provider_channel(const provider_channel&) = default;
    provider_channel& operator=(const provider_channel&) = default;
};

} // namespace relais::notification
