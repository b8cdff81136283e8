#include "relais/identity/v1/account_events.pb.h"
#include "web-api/consumers/handle.hpp"
#include "web-api/store/profiles.hpp"
#include "web-api/store/publish.hpp"

namespace relais::web_api {

result<void> show_avatar(pg::transaction& tx, const media::v1::AssetReady& ready,
                         const inbox::context& about, const log::logger& logger,
                         const std::function<void(account_id)>& forget_profile) {
    // First: an empty message is one for no purpose of ours, and must not pass for it.
    const auto owner = account_id::parse(ready.owner_id());
    const auto asset = asset_id::parse(ready.asset_id());
    if (!owner || !asset) {
        return fail(error_kind::invalid, "invalid-id", "AssetReady");
    }
    if (ready.purpose() != "avatar") {
        return {};
    }
    store::avatar avatar{*asset, {}};
    for (const auto& variant : ready.variants()) {
        avatar.variants.push_back(
            {variant.width(), variant.height(), variant.content_type(), variant.key()});
    }
    if (!store::set_avatar(tx, *owner, avatar, about.now)) {
        logger.info("avatar.owner_unknown", {{"asset_id", ready.asset_id()}});
        return {};
    }
    tx.after_commit([forget_profile, account = *owner] { forget_profile(account); });
    identity::v1::AvatarChanged changed;
    changed.set_account_id(owner->text());
    changed.set_asset_id(asset->text());
    publish(tx, changed, {about.cause(), about.now});
    return {};
}

} // namespace relais::web_api
