#include "web-api/store/campaigns.hpp"

#include "http/json_writer.hpp"
#include "relais/marketing/v1/campaign_requests.pb.h"
#include "web-api/domain/consent.hpp"
#include "web-api/domain/locale.hpp"
#include "web-api/domain/plain_text.hpp"
#include "web-api/handlers/forms.hpp"
#include "web-api/handlers/handlers.hpp"
#include "web-api/handlers/idempotency.hpp"
#include "web-api/handlers/limits.hpp"
#include "web-api/store/publish.hpp"

#include <algorithm>

namespace relais::web_api {
namespace {

/// A name that a template can have: lower-case letters, digits, "-" and "_".
result<std::string> template_name(std::string text) {
    const bool plain = std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!plain) {
        return fail(error_kind::invalid, "invalid-template", "a-z, 0-9, - and _ only");
    }
    return text;
}

result<std::optional<std::string>> audience_locale(std::optional<std::string> text) {
    if (text) {
        const auto known = parse_locale(*text);
        if (!known) {
            return fail(known);
        }
    }
    return text;
}

parsed<store::campaign> parse_campaign(const http::request& request, timestamp now) {
    const http::json_reader body(request.body);
    const auto name = body.text("name", campaign_name_limits);
    const auto audience = body.object("audience");
    // People are put on a list because they agreed to its purpose: the lists are the purposes.
    const auto list = audience.choice("list", consent_purposes());
    const auto language = audience.optional_text("locale", {2, 2});
    const auto named_template = body.text("template", template_limits);
    field_checks checks(body.finish());
    const auto title = checks.take("/name", single_line(name, campaign_name_limits.max));
    const auto spoken = checks.take("/audience/locale", audience_locale(language));
    const auto chosen = checks.take("/template", template_name(named_template));
    const auto key = api_key_id::parse(request.caller->credential_id);
    if (checks.failed()) {
        return std::move(checks).problems();
    }
    return store::campaign{.id = campaign_id::make(),
                           .name = *title,
                           .list = list,
                           .locale = *spoken,
                           .template_name = *chosen,
                           .requested_by = key.value_or(api_key_id()),
                           .state = "requested",
                           .requested_at = now,
                           .updated_at = now};
}

void request_in(pg::transaction& tx, const store::campaign& campaign, const origin& from) {
    store::insert_campaign(tx, campaign);
    marketing::v1::CampaignRequested requested;
    requested.set_campaign_id(campaign.id.text());
    requested.set_name(campaign.name);
    requested.set_list(campaign.list);
    requested.set_locale(campaign.locale.value_or(""));
    requested.set_template_(campaign.template_name);
    requested.set_requested_by(campaign.requested_by.text());
    publish(tx, requested, from);
}

http::response accepted(const store::campaign& campaign) {
    http::json_writer json;
    json.begin_object().member("id", campaign.id).member("state", campaign.state).end_object();
    auto response = http::response::json(202, json.take());
    response.headers.set("Location", "/v1/campaigns/" + campaign.id.text());
    return response;
}

struct campaign_view {
    store::campaign campaign;
    std::vector<store::campaign_step> history;
};

void write_reason(http::json_writer& json, const std::string& reason) {
    if (reason.empty()) {
        json.null_member("reason");
    } else {
        json.member("reason", reason);
    }
}

void write_audience(http::json_writer& json, const store::campaign& campaign) {
    json.begin_object("audience").member("list", campaign.list);
    if (campaign.locale) {
        json.member("locale", *campaign.locale);
    } else {
        json.null_member("locale");
    }
    json.end_object();
}

http::response render(const campaign_view& view) {
    const auto& campaign = view.campaign;
    http::json_writer json;
    json.begin_object().member("id", campaign.id).member("name", campaign.name);
    write_audience(json, campaign);
    json.member("template", campaign.template_name).member("state", campaign.state);
    write_reason(json, campaign.reason);
    json.begin_object("counts")
        .member("audience", campaign.counts.audience)
        .member("sent", campaign.counts.sent)
        .member("delivered", campaign.counts.delivered)
        .member("unsubscribed", campaign.counts.unsubscribed)
        .end_object()
        .begin_array("history");
    for (const auto& step : view.history) {
        json.begin_object().member("state", step.state).member("at", step.at);
        write_reason(json, step.reason);
        json.end_object();
    }
    json.end_array()
        .member("requested_at", campaign.requested_at)
        .member("updated_at", campaign.updated_at)
        .end_object();
    return http::response::json(200, json.take());
}

} // namespace

answer request_campaign(dependencies& with, const http::request& request) {
    const origin from{request.cause(), with.time.now()};
    const auto campaign = parse_campaign(request, from.now);
    if (!campaign) {
        co_return http::problem(campaign.error(), &request);
    }
    const auto key = idempotency_key_of(with, request);
    if (!key) {
        co_return fail(key);
    }
    auto work = [&](pg::transaction& tx) {
        return once(tx, *key, from.now, [&]() -> result<http::response> {
            request_in(tx, *campaign, from);
            return accepted(*campaign);
        });
    };
    auto done = co_await with.database.transact("request_campaign", work, request.deadline);
    co_return done;
}

answer get_campaign(dependencies& with, const http::request& request) {
    const auto id = path_id<campaign_id>(request);
    if (!id) {
        co_return fail(id);
    }
    auto find = [id = *id](pg::transaction& tx) -> result<campaign_view> {
        auto found = store::find_campaign(tx, id);
        if (!found) {
            return fail(error_kind::not_found, "not-found", "there is no such campaign");
        }
        return campaign_view{std::move(*found), store::campaign_history(tx, id)};
    };
    const auto found = co_await with.database.transact("get_campaign", find, request.deadline);
    if (!found) {
        co_return fail(found);
    }
    co_return render(*found);
}

} // namespace relais::web_api
