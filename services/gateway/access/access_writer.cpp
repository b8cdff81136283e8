#include "gateway/access/access_writer.hpp"

#include "async/signal.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <pthread.h>
#include <system_error>
#include <utility>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds rest_max{50};
constexpr milliseconds log_wait{10};
constexpr milliseconds stop_look_again{5};
/// Of one ring before the next one gets its turn.
constexpr std::size_t records_per_turn = 1'024;
constexpr std::size_t block_bytes = std::size_t{256} * 1024;

int duplicate(int descriptor) {
    const int made = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (made < 0) {
        throw std::system_error(errno, std::generic_category(), "dup");
    }
    return made;
}

/// It has much to do at a time and need not do it now: when it wakes, the loops keep their cores.
void give_way() {
    const sched_param none{};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

} // namespace

access_writer::access_writer(access_settings settings, std::size_t loops, const access_names& names,
                             metrics::registry& metrics, log::logger logger)
    : settings_(std::move(settings)), logger_(std::move(logger)),
      sampling_(settings_.sample_rate, settings_.slow_after),
      lines_(settings_.service, settings_.instance, names, settings_.client),
      recent_(settings_.kept), dropped_by_ring_(access_dropped(metrics, "ring_full")),
      dropped_by_log_(access_dropped(metrics, "log")),
      dropped_by_stop_(access_dropped(metrics, "stopped")),
      bell_watch_(loop_, duplicate(bell_.descriptor())) {
    for (std::size_t i = 0; i < loops; ++i) {
        rings_.push_back(std::make_unique<access_ring>(settings_.ring_records, bell_));
    }
    if (!settings_.kafka_brokers.empty()) {
        events_.emplace(settings_, names, loop_, metrics, logger_);
    }
    watch_bell();
}

access_writer::~access_writer() {
    if (thread_.joinable()) {
        ask_to_stop(milliseconds(0));
        thread_.join();
    }
}

void access_writer::start() {
    thread_ = std::thread([this] { run(); });
}

void access_writer::ask_to_stop(milliseconds at_most) {
    stop_until_.store(steady::now() + at_most, std::memory_order_relaxed);
    stopping_.store(true, std::memory_order_release);
    bell_.ring();
}

asio::awaitable<void> access_writer::stop(milliseconds at_most) {
    if (!thread_.joinable()) {
        co_return;
    }
    ask_to_stop(at_most);
    while (!finished_.load(std::memory_order_acquire)) {
        co_await async::sleep_for(stop_look_again);
    }
    thread_.join();
}

void access_writer::run() {
    pthread_setname_np(pthread_self(), "access");
    give_way();
    while (!stopping_.load(std::memory_order_acquire)) {
        if (!turn()) {
            rest();
        }
    }
    finish();
    finished_.store(true, std::memory_order_release);
}

/// True when there may be more to take at once.
bool access_writer::turn() {
    log_is_full_ = false;
    bool more = false;
    for (const auto& ring : rings_) {
        const auto taken =
            ring->take(records_per_turn, [this](const access_record& record) { take(record); });
        more = more || taken == records_per_turn;
    }
    count_full_rings();
    if (!log_is_full_) {
        offer_lines(milliseconds(0));
    }
    loop_.poll();
    loop_.restart();
    return more;
}

void access_writer::take(const access_record& record) {
    const bool always = sampling_.always(record);
    const bool chosen = always || sampling_.in_share(record);
    recent_.note(record, always);
    const bool wanted = settings_.lines == access_log_lines::all ||
                        (settings_.lines == access_log_lines::sampled && chosen) ||
                        (settings_.lines == access_log_lines::errors && sampling::failed(record));
    if (wanted && logger_.current_level() <= log::level::info) {
        add_line(record);
    }
    if (chosen && events_) {
        events_->publish(record, always ? 1 : sampling_.weight());
    }
}

void access_writer::add_line(const access_record& record) {
    if (block_.size() - offered_ >= settings_.backlog_bytes_max) {
        dropped_by_log_.increment();
        logger_.report_dropped(1);
        return;
    }
    lines_.append(block_, record);
    if (!log_is_full_ && block_.size() - offered_ >= block_bytes) {
        log_is_full_ = offer_lines(milliseconds(0)) == 0;
    }
}

std::size_t access_writer::offer_lines(milliseconds wait_at_most) {
    const std::size_t taken =
        logger_.write_lines(std::string_view(block_).substr(offered_), wait_at_most);
    offered_ += taken;
    if (offered_ == block_.size()) {
        block_.clear();
        offered_ = 0;
    } else if (offered_ >= block_bytes) {
        block_.erase(0, offered_);
        offered_ = 0;
    }
    return taken;
}

void access_writer::count_full_rings() {
    std::uint64_t all = 0;
    for (const auto& ring : rings_) {
        all += ring->dropped();
    }
    if (all != full_counted_) {
        count_lost_records(dropped_by_ring_, all - full_counted_);
        full_counted_ = all;
    }
}

/// A record that nobody saw would have been a line where all are.
void access_writer::count_lost_records(const metrics::counter& cause, std::uint64_t count) {
    cause.increment(static_cast<double>(count));
    if (settings_.lines == access_log_lines::all) {
        logger_.report_dropped(count);
    }
}

bool access_writer::must_hurry() const {
    return stopping_.load(std::memory_order_acquire) ||
           std::ranges::any_of(rings_, [](const auto& ring) { return ring->is_quarter_full(); });
}

void access_writer::rest() {
    if (!block_.empty() && offer_lines(log_wait) > 0) {
        return;
    }
    bell_.listen();
    if (!must_hurry()) {
        loop_.run_for(block_.empty() ? rest_max : log_wait);
    }
    bell_.answer();
    loop_.restart();
}

/// Ends the rest when the bell rings.
void access_writer::watch_bell() {
    bell_watch_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this](const boost::system::error_code& failed) {
                               if (!failed) {
                                   bell_.answer();
                                   loop_.stop();
                                   watch_bell();
                               }
                           });
}

void access_writer::finish() {
    const auto until = stop_until_.load(std::memory_order_relaxed);
    const auto has_time = [until] {
        return steady::now() < until;
    };
    while (turn() && has_time()) {}
    const auto has_work = [this] {
        return !block_.empty() || (events_ && events_->in_flight() > 0);
    };
    while (has_work() && has_time()) {
        if (offer_lines(milliseconds(0)) == 0) {
            loop_.run_for(log_wait);
            loop_.restart();
        }
    }
    give_up();
}

void access_writer::give_up() {
    std::uint64_t left = 0;
    for (const auto& ring : rings_) {
        left += ring->size();
    }
    count_lost_records(dropped_by_stop_, left);
    const auto lines = std::ranges::count(std::string_view(block_).substr(offered_), '\n');
    dropped_by_log_.increment(static_cast<double>(lines));
    logger_.report_dropped(static_cast<std::uint64_t>(lines));
    block_.clear();
    offered_ = 0;
    if (events_) {
        events_->abandon();
    }
}

} // namespace relais::gateway
