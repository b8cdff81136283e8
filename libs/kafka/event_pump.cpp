#include "kafka/event_pump.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace asio = boost::asio;

namespace relais::kafka::native {
namespace {

/// How many events are handled before other work of the loop gets its turn.
constexpr int events_per_turn = 1'000;
constexpr std::uint64_t wake_up = 1;

int make_eventfd() {
    const int descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    return descriptor;
}

} // namespace

struct event_pump::core : std::enable_shared_from_this<core> {
    core(asio::io_context& loop, owned<rd_kafka_queue_t> queue, handler event_handler,
         std::function<void()> wake_handler)
        : main(std::move(queue)), on_event(std::move(event_handler)),
          on_wake(std::move(wake_handler)), descriptor(loop, make_eventfd()), timer(loop) {}

    void wait_for_wake_up() {
        descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                              [self = shared_from_this()](const auto& failed) {
                                  if (!failed && self->running) {
                                      self->reset_descriptor();
                                      self->turn();
                                      self->wait_for_wake_up();
                                  }
                              });
    }

    void wait_for_timer() {
        timer.expires_after(std::chrono::seconds(1));
        timer.async_wait([self = shared_from_this()](const auto& failed) {
            if (!failed && self->running) {
                self->turn();
                self->wait_for_timer();
            }
        });
    }

    void reset_descriptor() {
        std::uint64_t count = 0;
        while (::read(descriptor.native_handle(), &count, sizeof count) < 0 && errno == EINTR) {}
    }

    void turn() {
        bool drained = false;
        for (int i = 0; i < events_per_turn && running; ++i) {
            const owned<rd_kafka_event_t> event(rd_kafka_queue_poll(main.get(), 0));
            if (!event) {
                drained = true;
                break;
            }
            on_event(*event);
        }
        if (on_wake && running) {
            on_wake();
        }
        if (!drained && running) {
            asio::post(descriptor.get_executor(), [self = shared_from_this()] {
                if (self->running) {
                    self->turn();
                }
            });
        }
    }

    owned<rd_kafka_queue_t> main;
    handler on_event;
    std::function<void()> on_wake;
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer timer;
    bool running = true;
};

event_pump::event_pump(asio::io_context& loop, owned<rd_kafka_queue_t> main, handler on_event,
                       std::function<void()> on_wake)
    : core_(
          std::make_shared<core>(loop, std::move(main), std::move(on_event), std::move(on_wake))) {
    wake_on(*core_->main);
    core_->wait_for_wake_up();
    core_->wait_for_timer();
    // What lay in the queue before it was watched wakes nobody, and nothing behind it would either
    // until the timer: the first delivery of every producer took a second.
    asio::post(core_->descriptor.get_executor(), [core = core_] {
        if (core->running) {
            core->turn();
        }
    });
}

event_pump::~event_pump() {
    core_->running = false;
    // librdkafka must not write to a descriptor that is closed and perhaps somebody else's by then.
    rd_kafka_queue_io_event_enable(core_->main.get(), -1, nullptr, 0);
    core_->main.reset();
    core_->timer.cancel();
    boost::system::error_code ignored;
    core_->descriptor.close(ignored);
}

void event_pump::wake_on(rd_kafka_queue_t& queue) {
    rd_kafka_queue_io_event_enable(&queue, core_->descriptor.native_handle(), &wake_up,
                                   sizeof wake_up);
}

void log_native(rd_kafka_event_t& event, const log::logger& logger) {
    const char* facility = nullptr;
    const char* text = nullptr;
    int level = 0;
    if (rd_kafka_event_log(&event, &facility, &text, &level) != 0) {
        return;
    }
    // syslog's levels: 3 is an error, 4 a warning, 5 a notice. CONFWARN tells at every start that
    // the gapless guarantee is experimental.
    if (level <= 4 && std::string_view(facility) != "CONFWARN") {
        logger.warn("kafka.client", {{"facility", facility}, {"text", text}});
    } else {
        logger.info("kafka.client", {{"facility", facility}, {"text", text}});
    }
}

} // namespace relais::kafka::native
