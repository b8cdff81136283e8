#include "mailing-list-sync/provider/brevo.hpp"

#include "async/signal.hpp"
#include "http/json_reader.hpp"
#include "http/json_writer.hpp"
#include "mailing-list-sync/provider/brevo_json.hpp"

#include <fmt/format.h>

#include <charconv>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds too_early_wait{1'500};

std::string without_version(std::string url) {
    if (url.ends_with("/v3")) {
        url.resize(url.size() - 3);
    }
    return url;
}

std::string contact_body(const contact_change& change, bool creating) {
    http::json_writer json;
    json.begin_object();
    if (creating) {
        json.member("email", change.wanted.email);
        json.member("ext_id", change.account_id);
        json.member("updateEnabled", true);
    }
    json.begin_object("attributes");
    if (!creating) {
        json.member("EMAIL", change.wanted.email);
    }
    json.member("DISPLAY_NAME", change.wanted.display_name);
    json.member("LOCALE", change.wanted.locale);
    json.end_object();
    write_ids(json, "listIds", change.add_to);
    if (!creating) {
        write_ids(json, "unlinkListIds", change.remove_from);
    }
    if (change.lift_block) {
        json.member("emailBlacklisted", false);
    }
    json.end_object();
    return json.take();
}

bool names_duplicate(const rest::answer& answer) {
    const http::json_reader body(answer.body);
    body.allow_unknown();
    const auto metadata = body.optional_object("metadata");
    return metadata && !metadata->optional_texts("duplicate_identifiers", 10, {0, 100}).empty();
}

std::optional<std::int64_t> header_number(const rest::answer& answer, std::string_view name) {
    const auto text = answer.header(name);
    std::int64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || failed != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// After a 429: what the provider, or something in front of it, asks for; a second when it says
/// nothing.
std::chrono::milliseconds wait_asked_for(const rest::answer& answer) {
    const auto reset = header_number(answer, "x-sib-ratelimit-reset").value_or(1);
    const std::chrono::milliseconds own = std::chrono::seconds(std::max<std::int64_t>(1, reset));
    return std::max(own, answer.retry_after().value_or(own));
}

} // namespace

result<void> classify(const rest::answer& answer) {
    const int status = answer.status;
    if (status >= 200 && status < 300) {
        return {};
    }
    error out{error_kind::invalid, "provider-refused", fmt::format("status {}", status), "", {}};
    if (status == 429) {
        out.kind = error_kind::rate_limited;
        out.slug = "provider-rate-limited";
        out.retry_after = wait_asked_for(answer);
    } else if (status == 425) {
        out.kind = error_kind::unavailable;
        out.slug = "provider-busy-with-contact";
        out.retry_after = too_early_wait;
    } else if (status >= 500) {
        out.kind = error_kind::unavailable;
        out.slug = "provider-unavailable";
    } else if (status == 401 || status == 402 || status == 403) {
        out.kind = error_kind::forbidden;
        out.slug = "provider-refuses-us";
    } else if (status == 404) {
        out.kind = error_kind::not_found;
        out.slug = "unknown-at-provider";
    } else if (names_duplicate(answer)) {
        out.kind = error_kind::conflict;
        out.slug = "duplicate-contact";
    }
    return std::unexpected(out);
}

brevo::brevo(brevo_settings settings, metrics::registry& metrics, log::logger logger)
    : settings_(std::move(settings)),
      client_({without_version(settings_.url), "brevo"}, metrics, std::move(logger)),
      contacts_limit_(static_cast<double>(settings_.contact_calls_per_second),
                      std::chrono::seconds(1), steady::now()),
      rest_limit_(static_cast<double>(settings_.other_calls_per_hour), std::chrono::hours(1),
                  steady::now()),
      remaining_(metrics.gauge("provider_ratelimit_remaining",
                               "Calls the provider still allows in its window",
                               {{"provider", "brevo"}})) {}

asio::awaitable<void> brevo::wait_for_turn(family which, urgency how) {
    auto& limit = which == family::contacts ? contacts_limit_ : rest_limit_;
    while (true) {
        const auto wait = limit.take(how, steady::now());
        if (wait.count() == 0) {
            co_return;
        }
        co_await async::sleep_for(wait);
    }
}

void brevo::learn_rate(rate_limit& limit, const rest::answer& answer) {
    const auto remaining = header_number(answer, "x-sib-ratelimit-remaining");
    const auto reset = header_number(answer, "x-sib-ratelimit-reset");
    if (answer.status == 429) {
        limit.refused(wait_asked_for(answer), steady::now());
    } else if (remaining && reset) {
        limit.provider_says(*remaining, std::chrono::seconds(*reset), steady::now());
        remaining_.set(static_cast<double>(*remaining));
    }
}

asio::awaitable<result<rest::answer>> brevo::ask(family which, urgency how, rest::call what,
                                                 trace::context where) {
    co_await wait_for_turn(which, how);
    what.headers.emplace_back("api-key", settings_.key.reveal());
    what.headers.emplace_back("accept", "application/json");
    auto sent = co_await client_.send(std::move(what), where);
    if (!sent) {
        // Every call made here may be repeated, so it does not matter whether it arrived.
        error reason = sent.error().reason;
        reason.kind = error_kind::unavailable;
        co_return std::unexpected(reason);
    }
    learn_rate(which == family::contacts ? contacts_limit_ : rest_limit_, *sent);
    const auto meaning = classify(*sent);
    if (!meaning) {
        co_return fail(meaning);
    }
    co_return std::move(*sent);
}

asio::awaitable<result<void>> brevo::create_contact(contact_change change, urgency how,
                                                    trace::context where) {
    rest::call what{"POST", "/v3/contacts", {}, contact_body(change, true)};
    const auto done = co_await ask(family::contacts, how, std::move(what), where);
    if (!done) {
        co_return fail(done);
    }
    co_return result<void>();
}

asio::awaitable<result<void>> brevo::update_contact(contact_change change, urgency how,
                                                    trace::context where) {
    const auto target = fmt::format("/v3/contacts/{}?identifierType=ext_id", change.account_id);
    rest::call what{"PUT", target, {}, contact_body(change, false)};
    const auto done = co_await ask(family::contacts, how, std::move(what), where);
    if (!done) {
        co_return fail(done);
    }
    co_return result<void>();
}

asio::awaitable<result<void>> brevo::delete_contact(std::string account_id, trace::context where) {
    const auto target = fmt::format("/v3/contacts/{}?identifierType=ext_id", account_id);
    rest::call what{"DELETE", target, {}, ""};
    const auto done = co_await ask(family::contacts, urgency::opt_out, std::move(what), where);
    if (!done && done.error().kind != error_kind::not_found) {
        co_return fail(done);
    }
    co_return result<void>();
}

asio::awaitable<result<list_ids>> brevo::lists(trace::context where) {
    constexpr int page_size = 50;
    constexpr int pages_max = 100;
    list_ids out;
    for (int page = 0; page < pages_max; ++page) {
        const auto target = fmt::format("/v3/contacts/lists?limit={}&offset={}&sort=asc", page_size,
                                        page * page_size);
        rest::call what{"GET", target, {}, ""};
        const auto answer =
            co_await ask(family::contacts, urgency::sign_up, std::move(what), where);
        if (!answer) {
            co_return fail(answer);
        }
        const http::json_reader body(answer->body);
        body.allow_unknown();
        const auto found = body.objects("lists", page_size);
        for (const auto& entry : found) {
            out.emplace(entry.text("name", {1, 255}), id_member(entry));
        }
        if (!body.finish().empty()) {
            co_return std::unexpected(bad_answer("contacts/lists"));
        }
        if (found.size() < page_size) {
            break;
        }
    }
    co_return out;
}

asio::awaitable<result<std::int64_t>> brevo::create_list(std::string name, trace::context where) {
    http::json_writer json;
    json.begin_object().member("name", name).member("folderId", 1).end_object();
    rest::call what{"POST", "/v3/contacts/lists", {}, json.take()};
    const auto answer = co_await ask(family::contacts, urgency::sign_up, std::move(what), where);
    if (!answer) {
        co_return fail(answer);
    }
    const http::json_reader body(answer->body);
    body.allow_unknown();
    const auto id = id_member(body);
    if (!body.finish().empty()) {
        co_return std::unexpected(bad_answer("contacts/lists"));
    }
    co_return id;
}

asio::awaitable<result<void>> brevo::ensure_webhook(std::string url, config::secret token,
                                                    trace::context where) {
    constexpr std::size_t webhooks_max = 100;
    rest::call list{"GET", "/v3/webhooks?type=marketing", {}, ""};
    const auto known = co_await ask(family::rest, urgency::sign_up, std::move(list), where);
    if (known) {
        const http::json_reader body(known->body);
        body.allow_unknown();
        for (const auto& entry : body.objects("webhooks", webhooks_max)) {
            if (entry.text("url", {1, 2048}) == url) {
                co_return result<void>();
            }
        }
    } else if (known.error().kind != error_kind::not_found) { // Brevo's "no webhooks yet"
        co_return fail(known);
    }
    http::json_writer json;
    json.begin_object().member("url", url).member("type", "marketing");
    json.begin_array("events");
    for (const auto* name : {"unsubscribed", "spam", "hardBounce", "delivered", "contactDeleted"}) {
        json.element(name);
    }
    json.end_array();
    json.begin_object("auth").member("type", "bearer").member("token", token.reveal()).end_object();
    json.member("description", "Relais mailing-list-sync").end_object();
    rest::call create{"POST", "/v3/webhooks", {}, json.take()};
    const auto done = co_await ask(family::rest, urgency::sign_up, std::move(create), where);
    if (!done) {
        co_return fail(done);
    }
    co_return result<void>();
}

void brevo::stop() {
    client_.stop();
}

} // namespace relais::mailing_list_sync
