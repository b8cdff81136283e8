#include "notification/channels/email_mailjet.hpp"

#include "notification/channels/base64.hpp"
#include "notification/channels/mailjet_messages.hpp"

#include <algorithm>
#include <iterator>

namespace asio = boost::asio;

namespace relais::notification {
namespace {

constexpr std::size_t calls_at_once = 4;

} // namespace

email_mailjet::email_mailjet(mailjet_settings settings, metrics::registry& metrics,
                             log::logger logger)
    : settings_(std::move(settings)),
      authorization_("Basic " + to_base64(settings_.key + ":" + settings_.secret.reveal())),
      client_({settings_.url, "mailjet", calls_at_once}, metrics, std::move(logger)) {}

std::size_t email_mailjet::parallel_max() const {
    return calls_at_once;
}

rest::call email_mailjet::call_for(std::string method, std::string target) const {
    rest::call out;
    out.method = std::move(method);
    out.target = std::move(target);
    out.headers = {{"Authorization", authorization_}};
    out.timeout = settings_.timeout;
    return out;
}

asio::awaitable<std::vector<send_outcome>> email_mailjet::send(std::vector<outgoing> batch) {
    auto call = call_for("POST", "/v3.1/send");
    call.body = mailjet_request(batch, settings_.from);
    const auto trace = batch.front().trace;
    const auto began = std::chrono::steady_clock::now();
    const auto ended = co_await client_.send(std::move(call), trace);
    auto answer = read_mailjet_answer(ended, batch.size());
    if (answer.refused_as_a_whole && batch.size() > 1) {
        auto outcomes = co_await send_one_by_one(std::move(batch), began + settings_.timeout / 2);
        co_return outcomes;
    }
    co_return std::move(answer.outcomes);
}

/// One bad mail must not keep the others of its call from being sent. What does not fit the claim's
/// time was not sent and comes again.
asio::awaitable<std::vector<send_outcome>>
email_mailjet::send_one_by_one(std::vector<outgoing> batch,
                               std::chrono::steady_clock::time_point until) {
    std::vector<send_outcome> out;
    for (auto& one : batch) {
        if (std::chrono::steady_clock::now() >= until) {
            out.push_back({send_result::not_sent, "", "mailjet-call-refused", {}, {}});
            continue;
        }
        std::vector<outgoing> alone;
        alone.push_back(std::move(one));
        auto outcome = co_await send(std::move(alone));
        std::ranges::move(outcome, std::back_inserter(out));
    }
    co_return out;
}

asio::awaitable<look_up_outcome> email_mailjet::look_up(delivery_id id,
                                                        const trace::context& where) {
    auto call =
        call_for("GET", "/v3/REST/message?CustomID=" + id.text() + "&ShowCustomID=true&Limit=1");
    const auto ended = co_await client_.send(std::move(call), where);
    co_return read_mailjet_look_up(ended);
}

void email_mailjet::stop() {
    client_.stop();
}

} // namespace relais::notification
