#include "gateway/app.hpp"

#include <relais/identity/v1/account_events.pb.h>
#include <stdexcept>

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

constexpr std::chrono::seconds finish_requests_within{20};
/// The identity cache is empty at the start and its entries live 30 s, so older revocations do not
/// matter; the minute leaves room for clocks that differ.
constexpr std::chrono::minutes read_back{1};

std::vector<std::unique_ptr<upstream>>
make_upstreams(const route_table& routes, http::deadline_watch& deadlines, host::process& process) {
    std::vector<std::unique_ptr<upstream>> out;
    out.reserve(routes.upstreams.size());
    for (const auto& service : routes.upstreams) {
        out.push_back(std::make_unique<upstream>(service, process.loop(), deadlines,
                                                 process.metrics(), process.logger()));
    }
    return out;
}

/// Who answers introspections.
std::vector<http::client*> web_api_of(const std::vector<std::unique_ptr<upstream>>& upstreams) {
    for (const auto& each : upstreams) {
        if (each->name() == "web-api") {
            return each->clients();
        }
    }
    throw std::runtime_error("the routes file has no upstream web-api, which knows the tokens");
}

} // namespace

app::app(const settings& given, host::process& process)
    : process_(process), routes_(given.routes), connections_max_(given.connections_max),
      deadlines_(process.loop()), upstreams_(make_upstreams(routes_, deadlines_, process)),
      signer_(given.identity_private_key),
      identities_(web_api_of(upstreams_), signer_, process.time(), process.loop(),
                  process.metrics()),
      producer_({given.kafka_brokers, given.process.instance}, process.loop(), process.metrics(),
                process.logger()),
      security_(producer_, process.time(), given.process.instance, process.metrics()),
      revocations_(
          {given.kafka_brokers, given.process.instance, {"identity.account.events.v1"}, read_back},
          [this](const kafka::record& record) { on_record(record); }, process.loop(),
          process.metrics(), process.logger()),
      reports_(process.metrics(), process.logger()),
      proxy_({routes_, upstreams_, identities_, security_, reports_, deadlines_, process.time(),
              process.logger()},
             {}),
      listener_(process.loop(), process.metrics(), process.logger()),
      connections_(process.loop(),
                   [logger = process.logger()](const std::string& name, const std::string& what) {
                       logger.error("connection.failed", {{"task", name}, {"error", what}});
                   }) {
    register_parts(given);
}

/// Every instance sees every revocation; anything else on the topic is not ours.
void app::on_record(const kafka::record& record) {
    const auto event = kafka::to_event(record);
    if (!event || event->type != identity::v1::CredentialRevoked::descriptor()->full_name()) {
        return;
    }
    const auto revoked = events::decode<identity::v1::CredentialRevoked>(*event);
    if (revoked) {
        identities_.revoke(revoked->credential_id());
    }
}

asio::awaitable<void> app::accept_clients() {
    co_await listener_.run([this] { return connections_.size() < connections_max_; },
                           [this](asio::ip::tcp::socket socket) {
                               connections_.spawn("client", proxy_.serve(std::move(socket)));
                           });
}

asio::awaitable<void> app::finish_clients() {
    listener_.close();
    const auto until = std::chrono::steady_clock::now() + finish_requests_within;
    constexpr std::chrono::milliseconds look_again{20};
    proxy_.close_idle();
    while (connections_.size() > 0 && std::chrono::steady_clock::now() < until) {
        co_await async::sleep_for(look_again);
    }
    connections_.cancel();
    co_await connections_.join();
}

void app::register_parts(const settings& given) {
    using host::stage;
    for (const auto& each : upstreams_) {
        process_.run_task(stage::workers, "health-" + each->name(),
                          [service = each.get()] { return service->watch_health(); });
        process_.add_readiness(each->name(), [service = each.get()]() -> result<void> {
            if (!service->is_usable() && service->name() == "web-api") {
                return fail(error_kind::unavailable, "no-healthy-upstream", "no healthy instance");
            }
            return {};
        });
    }
    process_.run_task(stage::consumers, "revocations", [this] { return revocations_.run(); });
    process_.add({stage::acceptors, "http",
                  [this, listen = given.listen]() -> asio::awaitable<result<void>> {
                      co_return listener_.open(listen);
                  },
                  [this] {
                      return finish_clients();
                  }});
    process_.run_task(stage::acceptors, "accept", [this] { return accept_clients(); });
    process_.add({stage::producers, "security-events", nullptr, [this]() -> asio::awaitable<void> {
                      co_await producer_.flush(std::chrono::milliseconds(2'000));
                  }});
    process_.on_drain([this] { proxy_.announce_drain(); });
}

std::unique_ptr<app> build(const settings& given, host::process& process) {
    return std::make_unique<app>(given, process);
}

} // namespace relais::gateway
