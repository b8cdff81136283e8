#pragma once

#include "clock/clock.hpp"
#include "gateway/client/client_side.hpp"
#include "gateway/files/bucket_rules.hpp"
#include "http/gate.hpp"
#include "http/message.hpp"

#include <string>
#include <string_view>

namespace relais::gateway {

/// A request for an object of a bucket, and what an answer of the store becomes: the store sees
/// nothing of the client's request but what it wants and what it has, and the client nothing of the
/// store. Reused from request to request.
class bucket_request {
public:
    /// What this request asks for. False: no object has that name.
    bool begin(const bucket_rules& rules, const http::request_head& asked);

    /// The head to send. `asked`: whose conditions and ranges count. Signed where the rules say so.
    void write_head(const bucket_rules& rules, const http::request_head& asked, timestamp now,
                    std::string& out) const;

    /// What an answer with this head means.
    enum class verdict : std::uint8_t {
        give,       ///< to the client
        ask_plain,  ///< the compressed form is missing: choose_plain(), then ask again
        missing,    ///< 404; 403 from a store that does not tell who may not list
        unsuitable, ///< refusal() is the answer: 412, 416
        failed      ///< the store's or the configuration's fault
    };

    verdict judge(const http::response_head& head);

    /// What was judged last.
    verdict outcome() const {
        return outcome_;
    }

    /// The body of an answer that is not given, which may tell of a wrong key instead.
    void read_refusal(std::string_view piece);

    /// From now on the object as it is.
    void choose_plain() {
        coded_ = coding::identity;
    }

    http::response refusal() const;

    /// Makes an answer's head one of ours: only what tells of the content stays.
    void shape(const bucket_rules& rules, answer_head& to) const;

    /// The body of an answer that is for nobody is read first: then the connection stays.
    bool skips = false;

private:
    verdict judge_status(int status) const;

    std::string name_; ///< of the object
    std::string_view type_;
    coding coded_ = coding::identity; ///< what is asked for
    verdict outcome_ = verdict::give;
    int status_ = 0;      ///< of the answer
    std::string range_;   ///< Content-Range of a refusal
    std::string refusal_; ///< its body's beginning
};

} // namespace relais::gateway
