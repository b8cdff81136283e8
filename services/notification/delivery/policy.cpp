#include "notification/delivery/policy.hpp"

namespace relais::notification {
namespace {

/// An attempt that was no fault of the message: not counted, but the waits grow.
verdict deferred(delivery_history history, std::string reason, std::chrono::milliseconds wait) {
    verdict out;
    history.attempts -= history.attempts > 0 ? 1 : 0;
    ++history.deferrals;
    out.history = history;
    out.reason = std::move(reason);
    out.wait = wait;
    return out;
}

verdict settled(delivery_state state, delivery_history history, std::string reason) {
    verdict out;
    out.state = state;
    out.history = history;
    out.reason = std::move(reason);
    return out;
}

verdict retried(const delivery_policy& policy, delivery_history history, std::string reason,
                std::uint64_t random) {
    if (history.attempts >= policy.attempts_max) {
        return settled(delivery_state::failed, history, std::move(reason));
    }
    verdict out;
    out.history = history;
    out.reason = std::move(reason);
    out.wait = policy.errors.wait(history.attempts, random);
    return out;
}

/// The same message once more, when nothing told that it had arrived.
verdict resent(const delivery_policy& policy, delivery_history history, bool expired) {
    if (history.resends >= policy.resends_max || expired) {
        return settled(delivery_state::failed, history, "outcome-unknown");
    }
    verdict out;
    ++history.resends;
    history.look_ups = 0;
    out.history = history;
    out.reason = "resend";
    return out;
}

} // namespace

std::string_view to_string(send_result value) {
    switch (value) {
    case send_result::accepted:
        return "accepted";
    case send_result::refused:
        return "refused";
    case send_result::nobody_there:
        return "nobody-there";
    case send_result::channel_refused:
        return "channel-refused";
    case send_result::throttled:
        return "throttled";
    case send_result::not_sent:
        return "not-sent";
    case send_result::provider_error:
        return "provider-error";
    case send_result::ambiguous:
        return "ambiguous";
    }
    return "ambiguous";
}

verdict after_send(const delivery_policy& policy, ambiguity how, const send_outcome& outcome,
                   delivery_history history, std::uint64_t random) {
    switch (outcome.result) {
    case send_result::accepted:
        return settled(delivery_state::accepted, history, "");
    case send_result::refused:
        return settled(delivery_state::failed, history, outcome.reason);
    case send_result::nobody_there:
        return settled(delivery_state::skipped, history, outcome.reason);
    case send_result::channel_refused: {
        auto out = deferred(history, outcome.reason, policy.refused_channel);
        out.pause_channel = policy.refused_channel;
        out.alert = true;
        return out;
    }
    case send_result::throttled: {
        const auto asked =
            outcome.wait.value_or(policy.throttled.wait(history.deferrals + 1, random));
        auto out = deferred(history, outcome.reason, asked);
        out.pause_channel = asked;
        return out;
    }
    case send_result::not_sent: {
        auto out = deferred(history, outcome.reason,
                            policy.unreachable.wait(history.deferrals + 1, random));
        out.pause_channel = policy.unreachable_pause;
        return out;
    }
    case send_result::provider_error:
        return retried(policy, history, outcome.reason, random);
    case send_result::ambiguous:
        break;
    }
    if (how == ambiguity::repeat_with_key) {
        return retried(policy, history, outcome.reason, random);
    }
    verdict out;
    out.state = delivery_state::ambiguous;
    out.history = history;
    out.reason = outcome.reason;
    const bool can_wait = how == ambiguity::look_up && !policy.look_up_waits.empty();
    out.wait = can_wait ? policy.look_up_waits.front() : policy.errors.first;
    return out;
}

verdict after_look_up(const delivery_policy& policy, ambiguity how, const look_up_outcome& found,
                      delivery_history history, bool expired, std::uint64_t random) {
    if (how == ambiguity::repeat_with_key) {
        // The claim of a row whose sender died: the same call again, with the same key.
        return expired ? settled(delivery_state::failed, history, "outcome-unknown")
                       : retried(policy, history, "repeat-with-key", random);
    }
    if (how == ambiguity::repeat_once) {
        return resent(policy, history, expired);
    }
    switch (found.what) {
    case look_up_outcome::finding::sent:
        return settled(delivery_state::accepted, history, "");
    case look_up_outcome::finding::unknown: {
        verdict out;
        out.state = delivery_state::ambiguous;
        out.history = history;
        out.reason = "look-up-failed";
        out.wait = policy.look_up_again;
        return out;
    }
    case look_up_outcome::finding::not_there:
        break;
    }
    ++history.look_ups;
    if (history.look_ups >= policy.look_up_waits.size()) {
        return resent(policy, history, expired);
    }
    verdict out;
    out.state = delivery_state::ambiguous;
    out.history = history;
    out.reason = "looking-up";
    out.wait = policy.look_up_waits[history.look_ups];
    return out;
}

} // namespace relais::notification
