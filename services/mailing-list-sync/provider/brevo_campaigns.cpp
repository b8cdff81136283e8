#include "mailing-list-sync/provider/brevo.hpp"
#include "mailing-list-sync/provider/brevo_json.hpp"

#include <fmt/format.h>

namespace asio = boost::asio;

namespace relais::mailing_list_sync {
namespace {

remote_campaign read_campaign(const http::json_reader& body) {
    constexpr std::int64_t largest = std::int64_t{1} << 52;
    remote_campaign out;
    out.id = id_member(body);
    out.status = body.text("status", {1, 64});
    if (const auto statistics = body.optional_object("statistics")) {
        if (const auto global = statistics->optional_object("globalStats")) {
            out.sent = global->optional_integer("sent", 0, largest).value_or(0);
            out.delivered = global->optional_integer("delivered", 0, largest).value_or(0);
            out.unsubscribed = global->optional_integer("unsubscriptions", 0, largest).value_or(0);
        }
    }
    return out;
}

} // namespace

asio::awaitable<result<std::int64_t>> brevo::create_campaign(campaign_content content,
                                                             trace::context where) {
    http::json_writer json;
    json.begin_object().member("name", content.name).member("tag", content.tag);
    json.member("subject", content.subject).member("htmlContent", content.html);
    json.begin_object("sender")
        .member("name", content.sender_name)
        .member("email", content.sender_email)
        .end_object();
    json.begin_object("recipients");
    write_ids(json, "listIds", content.list_ids);
    json.end_object().end_object();
    rest::call what{"POST", "/v3/emailCampaigns", {}, json.take()};
    const auto answer = co_await ask(family::rest, urgency::sign_up, std::move(what), where);
    if (!answer) {
        co_return fail(answer);
    }
    const http::json_reader body(answer->body);
    body.allow_unknown();
    const auto id = id_member(body);
    if (!body.finish().empty()) {
        co_return std::unexpected(bad_answer("emailCampaigns"));
    }
    co_return id;
}

asio::awaitable<result<void>> brevo::send_campaign(std::int64_t id, trace::context where) {
    rest::call what{"POST", fmt::format("/v3/emailCampaigns/{}/sendNow", id), {}, ""};
    const auto done = co_await ask(family::rest, urgency::sign_up, std::move(what), where);
    if (!done) {
        co_return fail(done);
    }
    co_return result<void>();
}

asio::awaitable<result<remote_campaign>> brevo::campaign(std::int64_t id, trace::context where) {
    rest::call what{"GET", fmt::format("/v3/emailCampaigns/{}?statistics=globalStats", id), {}, ""};
    const auto answer = co_await ask(family::rest, urgency::sign_up, std::move(what), where);
    if (!answer) {
        co_return fail(answer);
    }
    const http::json_reader body(answer->body);
    body.allow_unknown();
    const auto found = read_campaign(body);
    if (!body.finish().empty()) {
        co_return std::unexpected(bad_answer("emailCampaigns"));
    }
    co_return found;
}

asio::awaitable<result<std::optional<remote_campaign>>> brevo::find_campaign(std::string tag,
                                                                             trace::context where) {
    rest::call what{
        "GET", "/v3/emailCampaigns?limit=100&sort=desc&excludeHtmlContent=true", {}, ""};
    const auto answer = co_await ask(family::rest, urgency::sign_up, std::move(what), where);
    if (!answer) {
        co_return fail(answer);
    }
    const http::json_reader body(answer->body);
    body.allow_unknown();
    for (const auto& entry : body.objects("campaigns", 100)) {
        if (entry.optional_text("tag", {0, 255}) == tag) {
            co_return read_campaign(entry);
        }
    }
    if (!body.finish().empty()) {
        co_return std::unexpected(bad_answer("emailCampaigns"));
    }
    co_return std::optional<remote_campaign>();
}

} // namespace relais::mailing_list_sync
