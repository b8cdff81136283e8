#pragma once

#include "clock/clock.hpp"
#include "gateway/client/client_connection.hpp"
#include "gateway/client/client_owner.hpp"
#include "gateway/client/h2_pool.hpp"
#include "gateway/loop/edge_loop.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace relais::test::h2 {

class stub_exchange;

/// One HTTP/2 connection of the gateway on a loop of its own, the other end of a pair of sockets
/// for a test, and exchanges that answer by themselves what the path asks for:
///   /echo       reads the body, answers with the request's fields and the body's size
///   /bytes/N    answers with so many bytes
///   /hold       neither reads nor answers before release()
///   /early      answers 403 without reading the body
///   /interim    103, then an answer
///   /regret     begins an answer, takes it back and gives another
///   /break      answers half and gives up
///   /empty      204
class rig final : public gateway::client_owner {
public:
    explicit rig(gateway::client_limits limits = {});
    ~rig();
    rig(const rig&) = delete;
    rig& operator=(const rig&) = delete;

    /// Makes the connection; gives the client's end.
    int open();
    /// With these bytes received already, over a channel that another user opened.
    int open_with(std::string received);
    int open_refused(const error& why);

    void announce_drain();
    void close_idle();
    /// Lets exchanges on hold go on: they read what there is of the body, then answer.
    void release();

    /// Of gateway_http2_events_total.
    double events(gateway::h2_event what) const;

    /// Waits until it holds; false after ten seconds.
    static bool eventually(const std::function<bool()>& holds);

    std::atomic<int> requests{0};
    std::atomic<int> finished{0};
    std::atomic<int> aborted{0}; ///< by the exchange
    std::atomic<int> gone{0};    ///< on_client_gone
    std::atomic<int> closed{0};  ///< connections
    std::atomic<std::size_t> body_bytes{0};

    /// What exchanges were told instead of a request, or of a body: slugs.
    std::vector<std::string> told() const;

    gateway::request_user& new_exchange(gateway::client_side& client) override;
    void on_closed(gateway::client_connection& which) override;

    const gateway::client_limits& patience() const override {
        return limits_;
    }

private:
    friend class stub_exchange;

    template <class Work>
    void on_loop(Work work);
    int make_pair();
    void note(std::string slug);

    gateway::client_limits limits_;
    system_clock time_;
    metrics::registry metrics_;
    std::unique_ptr<gateway::edge_loop> loop_;
    std::unique_ptr<gateway::h2_pool> pool_;
    std::unique_ptr<gateway::client_connection> client_;
    std::vector<std::unique_ptr<stub_exchange>> exchanges_; ///< all that were made
    mutable std::mutex mutex_;
    std::vector<std::string> told_;
    int ours_ = -1;
};

} // namespace relais::test::h2
