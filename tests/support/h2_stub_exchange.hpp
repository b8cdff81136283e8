#pragma once

#include "gateway/client/client_side.hpp"
#include "support/h2_rig.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace relais::test::h2 {

/// Does what the path says.
class stub_exchange final : public gateway::request_user {
public:
    stub_exchange(rig& whose, gateway::client_side& client) : rig_(whose), client_(&client) {}

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

    gateway::client_side* leave() {
        return std::exchange(client_, nullptr);
    }

    void done() {
        ++rig_.finished;
        leave()->finish();
    }

    void send_interim() {
        gateway::answer_head head;
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
        if (outcome == gateway::sent::whole) {
            done();
        } else if (outcome == gateway::sent::broken) {
            on_client_gone();
        }
    }

    void send_more() {
        while (left_ > 0) {
            text_.assign(std::min(left_, piece_bytes), 'y');
            left_ -= text_.size();
            const auto outcome = client_->send_body(text_, left_ == 0);
            if (outcome == gateway::sent::broken) {
                on_client_gone();
                return;
            }
            if (outcome == gateway::sent::waiting) {
                return;
            }
        }
        done();
    }

    rig& rig_;
    gateway::client_side* client_;
    std::string path_;
    std::string summary_;
    gateway::answer_head head_;
    std::string text_;
    std::size_t seen_ = 0;
    std::size_t left_ = 0;
};

} // namespace relais::test::h2
