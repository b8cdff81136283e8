#pragma once

#include "notification/channels/channel.hpp"
#include "rest/client.hpp"

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace relais::notification {

/// The body of POST /v3.1/send. Click and open tracking are off: a link with a token must not lead
/// through somebody else's server.
std::string mailjet_request(std::span<const outgoing> batch, const mailbox& from);

/// What the answer means for each of `count` mails. Any 200 or 4xx with a list `Messages` tells per
/// item, by index (400 as soon as one failed); the rest concerns all of them alike.
struct mailjet_answer {
    std::vector<send_outcome> outcomes;
    /// The call as a whole was refused, so one bad mail may stand for many: send them one by one.
    bool refused_as_a_whole = false;
};

mailjet_answer read_mailjet_answer(const std::expected<rest::answer, rest::no_answer>& ended,
                                   std::size_t count);

/// The answer to GET /v3/REST/message?CustomID=.
look_up_outcome read_mailjet_look_up(const std::expected<rest::answer, rest::no_answer>& ended);

} // namespace relais::notification
