#include "upload/store/publish.hpp"

#include "outbox/outbox.hpp"
#include "relais/media/v1/asset_events.pb.h"
#include "upload/store/uploads.hpp"

namespace relais::upload::store {
namespace {

constexpr std::string_view service_name = "upload";

google::protobuf::Timestamp to_protobuf(timestamp time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    google::protobuf::Timestamp out;
    out.set_seconds(seconds.time_since_epoch().count());
    out.set_nanos(static_cast<std::int32_t>((time - seconds).count() * 1000));
    return out;
}

template <class Message>
Message about(const upload_record& value) {
    Message out;
    out.set_owner_id(value.owner.text());
    out.set_upload_id(value.id.text());
    out.set_purpose(value.purpose->name);
    return out;
}

void append(pg::transaction& tx, const google::protobuf::Message& message, const events::cause& why,
            timestamp now) {
    outbox::append(tx, events::make_event(message, service_name, why, now));
}

} // namespace

void publish_granted(pg::transaction& tx, const upload_record& value, const events::cause& why,
                     timestamp now) {
    auto message = about<media::v1::UploadGranted>(value);
    message.set_size_bytes(value.file.size_bytes);
    *message.mutable_expires_at() = to_protobuf(value.expires_at);
    append(tx, message, why, now);
}

void publish_expired(pg::transaction& tx, const upload_record& value, timestamp now) {
    append(tx, about<media::v1::UploadExpired>(value), cause_of(tx, value.id), now);
}

void publish_rejected(pg::transaction& tx, const upload_record& value, const std::string& reason,
                      timestamp now) {
    auto message = about<media::v1::UploadRejected>(value);
    message.set_reason(reason);
    append(tx, message, cause_of(tx, value.id), now);
}

void publish_ready(pg::transaction& tx, const upload_record& value, const std::string& sha256,
                   timestamp now) {
    auto message = about<media::v1::AssetReady>(value);
    message.set_asset_id(value.asset.text());
    message.set_sha256(sha256);
    for (const variant& each : value.variants) {
        media::v1::Variant* out = message.add_variants();
        out->set_width(each.width);
        out->set_height(each.height);
        out->set_content_type("image/webp");
        out->set_key(each.key);
        out->set_size_bytes(each.size_bytes);
    }
    append(tx, message, cause_of(tx, value.id), now);
}

} // namespace relais::upload::store
