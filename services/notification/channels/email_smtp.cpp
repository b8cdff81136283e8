#include "notification/channels/email_smtp.hpp"

#include "notification/channels/mime.hpp"

namespace asio = boost::asio;

namespace relais::notification {
namespace {

constexpr std::size_t sessions_at_once = 4;

} // namespace

email_smtp::email_smtp(smtp_settings settings, mailbox from, metrics::registry& metrics)
    : settings_(std::move(settings)), from_(std::move(from)),
      pool_({"smtp", sessions_at_once, 64}, metrics) {}

std::size_t email_smtp::parallel_max() const {
    return sessions_at_once;
}

asio::awaitable<std::vector<send_outcome>> email_smtp::send(std::vector<outgoing> batch) {
    std::vector<send_outcome> out;
    for (auto& message : batch) {
        auto outcome = co_await send_one(std::move(message));
        out.push_back(std::move(outcome));
    }
    co_return out;
}

asio::awaitable<send_outcome> email_smtp::send_one(outgoing message) {
    auto mime = to_mime(message, from_);
    auto to = std::get<outgoing_mail>(message.content).to.address;
    auto job = [this, to = std::move(to), mime = std::move(mime)](std::size_t) -> result<smtp_end> {
        return run_smtp_session(settings_, from_.address, to, mime);
    };
    const auto until = std::chrono::steady_clock::now() + settings_.timeout;
    const auto ended = co_await pool_.run(std::move(job), until);
    if (!ended) {
        co_return send_outcome{send_result::not_sent, "", ended.error().slug, {}, {}};
    }
    auto out = classify(*ended);
    if (out.result == send_result::accepted) {
        out.provider_message_id = message_id(message.id, from_);
    }
    co_return out;
}

asio::awaitable<look_up_outcome> email_smtp::look_up(delivery_id /*id*/,
                                                     const trace::context& /*where*/) {
    co_return look_up_outcome{};
}

void email_smtp::stop() {
    pool_.stop();
}

} // namespace relais::notification
