// A client's bytes on an HTTP/2 connection, through the scanner, the guard, nghttp2, the streams
// and the gate, over a real pair of sockets. The first byte says in what pieces they come and
// whether the preface is written for them. Whatever comes: requests that are served are as the gate
// promises, bodies no longer than announced, each exchange ends once, and what is sent are frames.
#include "clock/clock.hpp"
#include "fuzz/fuzz_target.hpp"
#include "gateway/client/client_owner.hpp"
#include "gateway/client/h2_client.hpp"
#include "http/target.hpp"
#include "http/tokens.hpp"
#include "support/h2_frames.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace relais;
using namespace relais::gateway;
namespace h2 = relais::test::h2;

namespace {

/// Reads the body and answers; "/b…" at once and at length, "/n…" never.
class exchange final : public request_user {
public:
    explicit exchange(client_side& client) : client_(&client) {}

    bool is_over() const {
        return client_ == nullptr;
    }

    void on_request(const http::request_head& head) override {
        check(head);
        announced_ = head.framing == http::framing::chunked ? UINT64_MAX : head.body_bytes;
        if (head.path.starts_with("/b")) {
            answer(std::string(200'000, 'b'));
        } else if (!head.path.starts_with("/n")) {
            client_->read_body();
        }
    }

    void on_malformed(const error& why) override {
        fuzz::require(!why.slug.empty());
        answer("malformed");
    }

    void on_request_body(std::string_view piece, bool last) override {
        seen_ += piece.size();
        fuzz::require(seen_ <= announced_);
        if (!last) {
            client_->read_body();
            return;
        }
        fuzz::require(announced_ == UINT64_MAX || seen_ == announced_);
        answer("done");
    }

    void on_request_body_failed(const error& why) override {
        fuzz::require(!why.slug.empty());
        answer("failed");
    }

    void on_client_ready() override {
        leave()->finish();
    }

    void on_client_gone() override {
        leave()->abort();
    }

private:
    static void check(const http::request_head& head) {
        std::string again;
        fuzz::require(head.version_major == 2 && !head.method.empty());
        fuzz::require(head.path == "*" ||
                      (http::normalise_path(head.path, again) && again == head.path));
        fuzz::require(http::is_valid_query(head.query) && http::is_valid_host(head.host));
        for (const auto& [name, value] : head.fields) {
            fuzz::require(http::is_token(name) && http::is_field_value(value));
            fuzz::require(std::ranges::none_of(
                name, [](char c) { return c == '_' || (c >= 'A' && c <= 'Z'); }));
            fuzz::require(name != "connection" && name != "transfer-encoding");
        }
    }

    client_side* leave() {
        fuzz::require(client_ != nullptr);
        return std::exchange(client_, nullptr);
    }

    void answer(std::string text) {
        text_ = std::move(text);
        answer_head head;
        head.status = 200;
        head.has_body = true;
        head.content_length = text_.size();
        client_->send_head(head);
        const auto outcome = client_->send_body(text_, true);
        if (outcome == sent::whole) {
            leave()->finish();
        } else if (outcome == sent::broken) {
            on_client_gone();
        }
    }

    client_side* client_;
    std::string text_;
    std::uint64_t announced_ = 0;
    std::uint64_t seen_ = 0;
};

/// What lasts from input to input.
class ground final : public client_owner {
public:
    ground() : loop_(time_), pool_(loop_, metrics_) {}

    request_user& new_exchange(client_side& client) override {
        exchanges_.push_back(std::make_unique<exchange>(client));
        return *exchanges_.back();
    }

    void on_closed(client_connection& /*which*/) override {
        loop_.bury(std::move(client_));
    }

    const client_limits& patience() const override {
        return limits_;
    }

    void run(std::string_view bytes, std::size_t step) {
        std::array<int, 2> ends{};
        fuzz::require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
        client_ =
            std::make_unique<h2_client>(loop_, *this, pool_, ends[0], client_info{{}, "", false});
        client_->start();
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            const auto piece = bytes.substr(at, step);
            if (::send(ends[1], piece.data(), piece.size(), MSG_NOSIGNAL) < 0) {
                break;
            }
            turn(ends[1]);
        }
        ::close(ends[1]);
        loop_.turn_once();
        fuzz::require(client_ == nullptr);
        for (const auto& each : exchanges_) {
            fuzz::require(each->is_over());
        }
        exchanges_.clear();
        received_.clear();
    }

private:
    void turn(int socket) {
        std::array<char, 65'536> bytes; // NOLINT(cppcoreguidelines-pro-type-member-init)
        loop_.turn_once();
        for (ssize_t count = 0; (count = ::recv(socket, bytes.data(), bytes.size(), 0)) > 0;) {
            received_.append(bytes.data(), static_cast<std::size_t>(count));
            loop_.turn_once();
        }
        h2::received_frame frame;
        while (h2::take_frame(received_, frame)) {
            fuzz::require(frame.payload.size() <= 16'384 && frame.type <= h2::continuation);
        }
        fuzz::require(received_.size() < 16'384 + 9);
    }

    system_clock time_;
    metrics::registry metrics_;
    client_limits limits_;
    edge_loop loop_;
    h2_pool pool_;
    std::unique_ptr<client_connection> client_;
    std::vector<std::unique_ptr<exchange>> exchanges_;
    std::string received_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static ground all;
    if (size == 0) {
        return 0;
    }
    const bool greets = (data[0] & 1U) == 0;
    const std::size_t step = (data[0] & 2U) == 0 ? 65'536 : 1 + data[0] / 4;
    auto bytes = greets ? h2::hello() : std::string();
    bytes += fuzz::as_text(data + 1, size - 1);
    all.run(bytes, step);
    return 0;
}
