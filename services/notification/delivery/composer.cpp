#include "notification/delivery/composer.hpp"

#include "ids/encoding.hpp"
#include "ids/signed_token.hpp"
#include "notification/domain/language.hpp"

#include <utility>

namespace relais::notification {
namespace {

constexpr std::string_view validation_purpose = "email-validation";

std::unexpected<not_composed> failed(std::string reason) {
    return std::unexpected(not_composed{delivery_state::failed, std::move(reason)});
}

} // namespace

std::string reason_to_skip(const claimed_delivery& row, timestamp now) {
    if (!row.known_person) {
        return "no-contact";
    }
    if (row.not_after <= now) {
        return "expired";
    }
    const bool is_activity = row.kind->category == category::activity;
    if (is_activity && !row.job_title) {
        return "no-job";
    }
    if (row.channel == channel::push) {
        return row.subscriptions.empty() ? "no-device" : "";
    }
    if (is_activity && !row.email_validated) {
        return "address-not-validated";
    }
    if (row.suppressed == "all" || (row.suppressed == "activity" && is_activity)) {
        return "suppressed";
    }
    return "";
}

composer::composer(template_set& templates, site shared, config::secret token_key)
    : templates_(templates), shared_(std::move(shared)), token_key_(std::move(token_key)) {}

const std::string& composer::template_version() const {
    return templates_.version();
}

std::string composer::token_for(const claimed_delivery& row) const {
    if (!row.known.token_id || !row.known.token_expires_at) {
        return {};
    }
    const token_claims claims{
        *row.known.token_id, std::chrono::floor<std::chrono::seconds>(*row.known.token_expires_at)};
    return sign_token(as_bytes(token_key_.reveal()), validation_purpose, claims);
}

std::expected<outgoing, not_composed> composer::compose(const claimed_delivery& row,
                                                        timestamp now) const {
    if (row.kind == nullptr) {
        return failed("unknown-template");
    }
    if (auto reason = reason_to_skip(row, now); !reason.empty()) {
        return std::unexpected(not_composed{delivery_state::skipped, std::move(reason)});
    }
    const particulars read{row.display_name, row.job_title.value_or(""), token_for(row), now};
    outgoing out;
    out.id = row.id;
    out.trace = trace::context::parse(row.traceparent).value_or(trace::context::start());
    out.made_at = now;
    if (row.channel == channel::mail) {
        auto made = mail(row, read);
        if (!made) {
            return std::unexpected(made.error());
        }
        out.content = std::move(*made);
    } else {
        auto made = push(row, read, now);
        if (!made) {
            return std::unexpected(made.error());
        }
        out.content = std::move(*made);
    }
    return out;
}

std::expected<outgoing_mail, not_composed> composer::mail(const claimed_delivery& row,
                                                          const particulars& read) const {
    auto to = parse_mailbox(row.email);
    if (!to) {
        return failed(to.error().slug);
    }
    const auto values = make_view(*row.kind, row.language, row.known, read, shared_);
    to->name = std::get<std::string>(values.find("name")->second);
    auto content = templates_.mail(*row.kind, row.language, values);
    if (!content) {
        return failed(content.error().slug);
    }
    return outgoing_mail{std::move(*to), row.language, std::move(*content)};
}

std::expected<outgoing_push, not_composed>
composer::push(const claimed_delivery& row, const particulars& read, timestamp now) const {
    outgoing_push out;
    for (const auto language : {std::string_view(row.language), fallback_language}) {
        const auto values = make_view(*row.kind, language, row.known, read, shared_);
        auto text = templates_.push(*row.kind, language, values);
        if (!text) {
            return failed(text.error().slug);
        }
        out.content.emplace(language, std::move(*text));
    }
    out.subscriptions = row.subscriptions;
    out.link = link_for(*row.kind, row.known, read, shared_);
    out.data["kind"] = row.kind->name;
    if (row.known.job) {
        out.data["job_id"] = row.known.job->text();
    }
    if (row.known.offer) {
        out.data["offer_id"] = row.known.offer->text();
    }
    out.useful_for = std::chrono::floor<std::chrono::seconds>(row.not_after - now);
    return out;
}

} // namespace relais::notification
