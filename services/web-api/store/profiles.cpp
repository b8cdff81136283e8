#include "web-api/store/profiles.hpp"

#include "http/json_reader.hpp"
#include "http/json_writer.hpp"

namespace relais::web_api::store {
namespace {

constexpr std::size_t variants_max = 32;
constexpr std::int64_t pixels_max = 100'000;

std::string to_json(const std::vector<avatar_variant>& variants) {
    http::json_writer json;
    json.begin_object().begin_array("variants");
    for (const auto& variant : variants) {
        json.begin_object()
            .member("width", variant.width)
            .member("height", variant.height)
            .member("content_type", variant.content_type)
            .member("key", variant.key)
            .end_object();
    }
    json.end_array().end_object();
    return json.take();
}

std::vector<avatar_variant> from_json(std::string_view text) {
    const http::json_reader manifest(text);
    manifest.allow_unknown();
    std::vector<avatar_variant> variants;
    for (const auto& variant : manifest.objects("variants", variants_max)) {
        variants.push_back({static_cast<std::uint32_t>(variant.integer("width", 1, pixels_max)),
                            static_cast<std::uint32_t>(variant.integer("height", 1, pixels_max)),
                            variant.text("content_type", {}), variant.text("key", {1, 1024})});
    }
    return variants;
}

} // namespace

std::optional<profile> find_profile(pg::transaction& tx, account_id account) {
    const auto rows = tx.exec("SELECT display_name, created_at, avatar_asset_id, avatar_manifest "
                              "FROM profile WHERE account_id = $1",
                              {account});
    if (rows.empty()) {
        return std::nullopt;
    }
    const auto row = rows.front();
    profile found{account, row.text(0), std::nullopt, row.time(1)};
    if (!row.is_null(2)) {
        found.avatar = avatar{row.id_at<asset_id>(2), from_json(row.view(3))};
    }
    return found;
}

bool set_avatar(pg::transaction& tx, account_id account, const avatar& value, timestamp now) {
    const auto set =
        tx.exec("UPDATE profile SET avatar_asset_id = $2, avatar_manifest = $3, updated_at = $4 "
                "WHERE account_id = $1",
                {account, value.asset, to_json(value.variants), now});
    return set.affected() == 1;
}

} // namespace relais::web_api::store
