#include "inbox/consumer.hpp"

#include "inbox/consumer_impl.hpp"
#include "inbox/invoke.hpp"
#include "inbox/replayer.hpp"

namespace asio = boost::asio;

namespace relais::inbox {

consumer::consumer(consumer_settings settings, pg::pool& database, asio::io_context& loop,
                   metrics::registry& metrics, log::logger logger)
    : impl_(std::make_unique<impl>(std::move(settings), database, loop, metrics,
                                   std::move(logger))) {}

consumer::~consumer() = default;

asio::awaitable<result<replay_progress>> consumer::replay(replay_request what,
                                                          replay_report report) {
    replayer again({.settings = impl_->settings,
                    .all = impl_->all,
                    .database = impl_->database,
                    .time = impl_->time,
                    .loop = impl_->loop,
                    .metrics = impl_->metrics,
                    .logger = impl_->logger},
                   std::move(what), std::move(report));
    auto done = co_await again.run();
    co_return done;
}

result<bool> consumer::handle_inline(pg::transaction& tx, const events::event& event,
                                     timestamp now) {
    const auto* with = impl_->all.of(event);
    if (with == nullptr) {
        return false;
    }
    std::vector<events::snapshot_need> arrived; // nobody waits
    const auto done = invoke(tx,
                             {.group = impl_->settings.group,
                              .all = impl_->all,
                              .with = *with,
                              .event = event,
                              .now = now},
                             arrived);
    if (!done) {
        return fail(done);
    }
    return true;
}

bool consumer::assigned() const {
    return impl_->has_assignment || impl_->broker_down;
}

void consumer::intercept(interceptor around) {
    impl_->all.add(std::move(around));
}

void consumer::add_handler(const google::protobuf::Descriptor& type, policy failures,
                           raw_handler handler) {
    impl_->all.add(
        type.full_name(),
        {.topic = events::topic_of(type), .failures = failures, .run = std::move(handler)});
}

void consumer::add_batch_handler(const google::protobuf::Descriptor& type, policy failures,
                                 raw_batch_handler handler) {
    impl_->all.add(
        type.full_name(),
        {.topic = events::topic_of(type), .failures = failures, .run_many = std::move(handler)});
}

void consumer::add_snapshot(const google::protobuf::Descriptor& type, std::string kind,
                            policy failures, snapshot_handler handler, erase_handler erase) {
    impl_->all.add(type.full_name(), {.topic = events::topic_of(type),
                                      .failures = failures,
                                      .keep = std::move(handler),
                                      .snapshot_kind = std::move(kind),
                                      .erase = std::move(erase)});
}

} // namespace relais::inbox
