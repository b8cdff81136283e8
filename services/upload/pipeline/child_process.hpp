#pragma once

#include "result/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace relais::upload {

/// A running program that takes its work on standard input and answers on standard output: without
/// environment, without our descriptors, its standard error thrown away. Killed and reaped when
/// this object goes, so none outlives its job. On the loop's thread.
class child_process {
public:
    /// Error: `unavailable` / "picture-worker-not-started" (detail: errno in words).
    static result<child_process> spawn(const std::string& executable,
                                       boost::asio::io_context& loop);
    ~child_process();
    child_process(child_process&&) noexcept;
    child_process& operator=(child_process&&) noexcept;

    /// Writes everything, closes the child's input, reads its output to the end, waits for its
    /// exit. Error: `internal` / "picture-worker-crashed": it ended with another status than 0, or
    /// answered more than answer_max bytes. Cancellable; the child then dies with this object.
    boost::asio::awaitable<result<std::string>> exchange(std::string input, std::size_t answer_max);

    /// False when it has ended already.
    bool alive() const;

    int pid() const;

    /// The most memory that it held at a time; 0 until exchange() saw its end.
    std::uint64_t peak_memory_bytes() const;

private:
    struct impl;
    explicit child_process(std::unique_ptr<impl> state);
    std::unique_ptr<impl> impl_;
};

} // namespace relais::upload
