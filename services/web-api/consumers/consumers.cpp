#include "web-api/consumers/consumers.hpp"

#include "web-api/consumers/handle.hpp"

namespace relais::web_api {

void register_consumers(inbox::consumer& inbox, const log::logger& logger,
                        const std::function<void(account_id)>& forget_profile) {
    const inbox::policy retry;
    // Copies of the logger share one sink.
    const auto hand_on = [&]<class Message>(result<void> (*handle)(pg::transaction&, const Message&,
                                                                   const inbox::context&,
                                                                   const log::logger&)) {
        inbox.on<Message>(retry, [handle, logger](pg::transaction& tx, const Message& message,
                                                  const inbox::context& about) {
            return handle(tx, message, about, logger);
        });
    };
    inbox.on<media::v1::AssetReady>(
        retry, [logger, forget_profile](pg::transaction& tx, const media::v1::AssetReady& message,
                                        const inbox::context& about) {
            return show_avatar(tx, message, about, logger, forget_profile);
        });
    hand_on(&record_campaign_progress);
    hand_on(&record_opt_out);
    hand_on(&record_membership);
}

} // namespace relais::web_api
