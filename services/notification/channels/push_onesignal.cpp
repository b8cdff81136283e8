#include "notification/channels/push_onesignal.hpp"

#include "notification/channels/onesignal_messages.hpp"

#include <iterator>

namespace asio = boost::asio;

namespace relais::notification {
namespace {

constexpr std::size_t calls_at_once = 4;

} // namespace

push_onesignal::push_onesignal(onesignal_settings settings, metrics::registry& metrics,
                               log::logger logger)
    : settings_(std::move(settings)),
      client_({settings_.url, "onesignal", calls_at_once}, metrics, std::move(logger)) {}

std::size_t push_onesignal::parallel_max() const {
    return calls_at_once;
}

asio::awaitable<std::vector<send_outcome>> push_onesignal::send(std::vector<outgoing> batch) {
    std::vector<send_outcome> out;
    for (auto& message : batch) {
        auto outcome = co_await send_one(std::move(message));
        out.push_back(std::move(outcome));
    }
    co_return out;
}

asio::awaitable<send_outcome> push_onesignal::send_one(outgoing message) {
    // One id that is no UUID makes OneSignal refuse the whole call.
    std::vector<std::string> wanted;
    std::vector<std::string> malformed;
    for (const auto& id : std::get<outgoing_push>(message.content).subscriptions) {
        (uuid::parse(id) ? wanted : malformed).push_back(id);
    }
    if (wanted.empty()) {
        co_return send_outcome{send_result::nobody_there, "", "no-device", {}, malformed};
    }
    rest::call call;
    call.target = "/notifications";
    call.headers = {{"Authorization", "Key " + settings_.key.reveal()}};
    call.body = onesignal_request(message, settings_.app_id, wanted);
    call.timeout = settings_.timeout;
    const auto ended = co_await client_.send(std::move(call), message.trace);
    auto out = read_onesignal_answer(ended, wanted);
    std::ranges::move(malformed, std::back_inserter(out.dead_subscriptions));
    co_return out;
}

asio::awaitable<look_up_outcome> push_onesignal::look_up(delivery_id /*id*/,
                                                         const trace::context& /*where*/) {
    co_return look_up_outcome{};
}

void push_onesignal::stop() {
    client_.stop();
}

} // namespace relais::notification
