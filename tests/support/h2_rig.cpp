#include "support/h2_rig.hpp"

#include "gateway/client/h2_client.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

using namespace relais::gateway;
using boost::asio::ip::tcp;

namespace relais::test::h2 {

/// Does what the path says.
class stub_exchange final : public request_user {
public:
    stub_exchange(rig& whose, client_side& client) : rig_(whose), client_(&client) {}

    void on_request(const http::request_head& head) override {
        ++rig_.requests;
        path_ = head.path;
        summary_ = fmt::format("{} {}?{} {} {}\n", head.method, head.path, head.query, head.host,
                               head.version_major);
        for (const auto& [name, value] : head.fields) {
            summary_ += fmt::format("{}: {}\n", name, value);
        }
        if (path_ == "/early") {
            answer(403, "no");
        } else if (path_ == "/interim") {
            send_interim();
            answer(200, "done");
        } else if (path_ == "/empty") {
            answer(204, "");
        } else if (path_ == "/regret") {
            begin_answer(200, 1'000);
            client_->take_back_head();
            answer(502, "no");
        } else if (path_ == "/break") {
            begin_answer(200, 1'000);
            client_->send_body("half", false);
            ++rig_.aborted;
            leave()->abort();
        } else if (path_.starts_with("/bytes/")) {
            std::from_chars(path_.data() + 7, path_.data() + path_.size(), left_);
            begin_answer(200, left_);
            send_more();
        } else if (path_ != "/hold") {
            client_->read_body();
        }
    }

    void on_malformed(const error& why) override {
        rig_.note(why.slug);
        answer(400, "malformed");
    }

    void on_request_body(std::string_view piece, bool last) override {
        seen_ += piece.size();
        rig_.body_bytes += piece.size();
        if (last) {
            answer(200, summary_ + fmt::format("body {}", seen_));
        } else {
            client_->read_body();
        }
    }

    void on_request_body_failed(const error& why) override {
        rig_.note(why.slug);
        answer(why.kind == error_kind::timeout ? 408 : 400, "body");
    }

    void on_client_ready() override {
        if (left_ > 0) {
            send_more();
        } else {
            done();
        }
    }

    void on_client_gone() override {
        ++rig_.gone;
        leave()->abort();
    }

    void release() {
        if (client_ != nullptr && path_ == "/hold") {
            client_->read_body();
        }
    }

private:
    static constexpr std::size_t piece_bytes = 65'536;

    client_side* leave() {
        return std::exchange(client_, nullptr);
    }

    void done() {
        ++rig_.finished;
        leave()->finish();
    }

    void send_interim() {
        answer_head head;
        head.status = 103;
        head.fields.push_back({"Link", "</x>"});
        client_->send_interim(head);
    }

    void begin_answer(int status, std::size_t bytes) {
        head_ = {};
        head_.status = status;
        head_.fields.push_back({"X-Stub", "yes"});
        head_.has_body = bytes > 0;
        head_.content_length = bytes;
        client_->send_head(head_);
    }

    void answer(int status, std::string body) {
        text_ = std::move(body);
        begin_answer(status, text_.size());
        const auto outcome = text_.empty() ? client_->flush() : client_->send_body(text_, true);
        if (outcome == sent::whole) {
            done();
        } else if (outcome == sent::broken) {
            on_client_gone();
        }
    }

    void send_more() {
        while (left_ > 0) {
            text_.assign(std::min(left_, piece_bytes), 'y');
            left_ -= text_.size();
            const auto outcome = client_->send_body(text_, left_ == 0);
            if (outcome == sent::broken) {
                on_client_gone();
                return;
            }
            if (outcome == sent::waiting) {
                return;
            }
        }
        done();
    }

    rig& rig_;
    client_side* client_;
    std::string path_;
    std::string summary_;
    answer_head head_;
    std::string text_;
    std::size_t seen_ = 0;
    std::size_t left_ = 0;
};

rig::rig(client_limits limits)
    : limits_(limits), loop_(std::make_unique<edge_loop>(time_)),
      pool_(std::make_unique<h2_pool>(*loop_, metrics_)) {
    loop_->start();
}

rig::~rig() {
    loop_->stop();
    client_.reset();
    exchanges_.clear();
    loop_->run_rest();
    pool_.reset();
}

template <class Work>
void rig::on_loop(Work work) {
    std::promise<void> done;
    loop_->post([&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

int rig::make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::runtime_error("no pair of sockets");
    }
    ours_ = ends[0];
    return ends[1];
}

int rig::open() {
    const int theirs = make_pair();
    on_loop([this] {
        tcp::socket socket(loop_->io());
        socket.assign(tcp::v4(), ours_);
        client_ = std::make_unique<h2_client>(*loop_, *this, *pool_, std::move(socket),
                                              client_info{{}, "client", false});
        client_->start();
    });
    return theirs;
}

namespace {

/// Someone who only opens connections.
struct opener final : channel::user {
    void on_bytes(std::size_t) override {}

    void on_end(bool) override {}

    void on_room() override {}

    void on_connected(const boost::system::error_code&) override {}
};

} // namespace

int rig::open_with(std::string received) {
    const int theirs = make_pair();
    on_loop([this, &received] {
        tcp::socket socket(loop_->io());
        socket.assign(tcp::v4(), ours_);
        opener first;
        channel open(std::move(socket), first);
        auto made = std::make_unique<h2_client>(*loop_, *this, *pool_, std::move(open),
                                                client_info{{}, "client", false});
        auto& client = *made;
        client_ = std::move(made);
        client.start_with(received);
    });
    return theirs;
}

int rig::open_refused(const error& why) {
    const int theirs = make_pair();
    on_loop([this, &why] {
        tcp::socket socket(loop_->io());
        socket.assign(tcp::v4(), ours_);
        client_ = std::make_unique<h2_client>(*loop_, *this, *pool_, std::move(socket),
                                              client_info{{}, "client", false});
        client_->start_refused(why);
    });
    return theirs;
}

void rig::announce_drain() {
    on_loop([this] { client_->announce_drain(); });
}

void rig::close_idle() {
    on_loop([this] { client_->close_idle(); });
}

void rig::release() {
    on_loop([this] {
        for (const auto& each : exchanges_) {
            each->release();
        }
    });
}

double rig::events(h2_event what) const {
    // The registry gives the same series to whoever asks.
    auto& metrics = const_cast<metrics::registry&>(metrics_);
    return metrics
        .counter("gateway_http2_events_total",
                 "What HTTP/2 clients did that ended a stream or connection",
                 {{"event", std::string(name_of(what))}})
        .value();
}

bool rig::eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > until) {
            return false;
        }
        ::poll(nullptr, 0, 2);
    }
    return true;
}

void rig::note(std::string slug) {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::move(slug));
}

std::vector<std::string> rig::told() const {
    const std::lock_guard lock(mutex_);
    return told_;
}

request_user& rig::new_exchange(client_side& client) {
    exchanges_.push_back(std::make_unique<stub_exchange>(*this, client));
    return *exchanges_.back();
}

void rig::on_closed(client_connection& /*which*/) {
    ++closed;
    loop_->bury(std::move(client_));
}

} // namespace relais::test::h2
