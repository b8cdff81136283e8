#pragma once

#include "gateway/config.hpp"
#include "gateway/proxy/proxy.hpp"
#include "http/listener.hpp"
#include "kafka/broadcast_reader.hpp"
#include "kafka/producer.hpp"

#include <memory>

namespace relais::gateway {

/// The service put together: members in the order in which they depend on each other.
class app {
public:
    app(const settings& given, host::process& process);

private:
    void register_parts(const settings& given);
    void on_record(const kafka::record& record);
    boost::asio::awaitable<void> accept_clients();
    boost::asio::awaitable<void> finish_clients();

    host::process& process_;
    route_table routes_;
    std::size_t connections_max_;
    http::deadline_watch deadlines_;
    std::vector<std::unique_ptr<upstream>> upstreams_;
    http::identity_signer signer_;
    introspector identities_;
    kafka::producer producer_;
    security_events security_;
    kafka::broadcast_reader revocations_;
    reporter reports_;
    proxy proxy_;
    http::listener listener_;
    async::task_group connections_;
};

std::unique_ptr<app> build(const settings& given, host::process& process);

} // namespace relais::gateway
