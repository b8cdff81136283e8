#include "upload/pipeline/expiry.hpp"

#include "upload/store/work.hpp"

namespace relais::upload {
namespace {

/// Of an upload that begins in the last moment; a tenth of the grant's life, at most 5 minutes.
std::chrono::seconds grace(const upload_record& value) {
    const auto lifetime =
        std::chrono::floor<std::chrono::seconds>(value.expires_at - value.granted_at);
    return std::min(lifetime / 10, std::chrono::seconds(300));
}

} // namespace

std::string expiry_timer_id(upload_id id) {
    return "upload-expiry:" + id.text();
}

timers::timer expiry_timer(const upload_record& value) {
    return {expiry_timer_id(value.id), expiry_timer_kind, value.expires_at + grace(value),
            value.id.text()};
}

timers::runner::handler on_expiry(std::function<void()> wake_pipeline) {
    return [wake = std::move(wake_pipeline)](pg::transaction& tx, const timers::timer& due,
                                             timestamp now) -> result<void> {
        const auto id = upload_id::parse(due.payload);
        if (!id) {
            return fail(id);
        }
        store::request_work(tx, *id, now);
        tx.after_commit(wake);
        return {};
    };
}

} // namespace relais::upload
