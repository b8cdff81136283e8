#include "gateway/app.hpp"

#include "gateway/events/news.hpp"

namespace asio = boost::asio;

namespace relais::gateway {
namespace {

/// The caches are empty at the start, and identities live 30 s in them, so what is older does not
/// matter; the minute leaves room for clocks that differ.
constexpr std::chrono::minutes read_back{1};

constexpr std::chrono::milliseconds last_events_within{2'000};

} // namespace

app::app(const settings& given, host::process& process)
    : process_(process), routes_(std::make_shared<route_table>(given.routes)),
      web_api_(make_web_api_clients(*routes_, process)), signer_(given.identity_private_key),
      identities_(pointers(web_api_), signer_, process.time(), process.loop(), process.metrics()),
      figures_(given.loops, names_, process.metrics()),
      access_log_(given.access, given.loops, names_, process.metrics(), process.logger()),
      producer_({given.kafka_brokers, given.process.instance}, process.loop(), process.metrics(),
                process.logger()),
      security_(producer_, names_, process.time(), given.process.instance, process.metrics()),
      edges_(given.loops, given.connections_max, given.cache_bytes_max, given.listen,
             process.loop(),
             {routes_, process.time(), process.metrics(), process.logger(), names_, figures_,
              access_log_, identities_, process.tasks(host::stage::workers), process.sockets(),
              [this](const access_record& record) {
                  security_.refused(record);
              }}),
      bans_(
          given.bans_wait,
          [this](const std::shared_ptr<const ban_list>& now) {
              edges_.tell_each([now](edge& to) { to.set_bans(now); });
          },
          process.time(), process.loop(), process.metrics(), process.logger()),
      news_(
          {.brokers = given.kafka_brokers,
           .client_id = given.process.instance,
           .topics = {{"identity.account.events.v1", read_back},
                      {"edge.cache.events.v1", read_back},
                      {ban_feed::topic, ban_feed::read_back}}},
          [this](const kafka::record& record) { on_news(record); }, process.loop(),
          process.metrics(), process.logger()),
      watches_({[this](const std::string& service, const auto& instances) {
                    edges_.tell_each(
                        [service, instances](edge& to) { to.set_instances(service, instances); });
                },
                [this](const std::string& service, const auto& where, bool ready) {
                    edges_.tell_each([service, where, ready](edge& to) {
                        to.report_ready(service, where, ready);
                    });
                }},
               process.loop(), process.tasks(host::stage::workers), process.metrics(),
               process.logger()),
      board_(
          given.loops,
          [this](std::size_t loop, live_board::answer answer) {
              edges_.look(loop, std::move(answer));
          },
          figures_, process.loop()),
      drain_(edges_, board_, given.drain, process.metrics(), process.logger()),
      reload_(
          given.routes_file, [this](const auto& routes) { use(routes); }, process.loop(),
          process.metrics(), process.logger()) {
    register_parts(given);
}

void app::use(const std::shared_ptr<const route_table>& routes) {
    edges_.use(routes);
    watches_.use(routes->upstreams);
}

/// Every instance sees all of it.
void app::on_news(const kafka::record& record) {
    if (record.topic == ban_feed::topic) {
        bans_.on_record(record);
    } else if (const auto key = purged_key(record)) {
        edges_.purge(*key);
    } else if (const auto id = revoked_credential(record)) {
        identities_.revoke(*id);
        edges_.tell_each([id](edge& to) { to.identities().revoke(*id); });
    }
}

void app::register_parts(const settings& given) {
    using host::stage;
    process_.add({stage::workers, "watches",
                  [this]() -> asio::awaitable<result<void>> {
                      watches_.use(routes_->upstreams);
                      co_return result<void>();
                  },
                  nullptr});
    process_.add_readiness("web-api", [this]() -> result<void> {
        if (!watches_.has_ready("web-api")) {
            return fail(error_kind::unavailable, "no-healthy-upstream", "no healthy instance");
        }
        return {};
    });
    process_.add_readiness("bans",
                           [this] { return bans_.is_ready(news_.caught_up(ban_feed::topic)); });
    process_.run_task(stage::workers, "reload", [this] { return reload_.run(); });
    process_.run_task(stage::consumers, "news", [this] { return news_.run(); });
    process_.run_task(stage::consumers, "ban-expiry", [this] { return bans_.expire(); });
    process_.add({stage::acceptors, "http",
                  [this]() -> asio::awaitable<result<void>> { co_return edges_.start(); },
                  [this] {
                      return drain_.finish(process_.was_taken_over());
                  }});
    process_.run_task(stage::acceptors, "certificates",
                      [this] { return edges_.watch_certificates(); });
    process_.add({stage::producers, "events",
                  [this]() -> asio::awaitable<result<void>> {
                      access_log_.start();
                      co_return result<void>();
                  },
                  [this]() -> asio::awaitable<void> {
                      co_await access_log_.stop(last_events_within);
                      co_await producer_.flush(last_events_within);
                  }});
    process_.on_drain([this] { drain_.begin(); });
    process_.add_admin_routes(
        live_routes({board_, names_, access_log_.recent(), process_.time(), given.process.instance,
                     [this] { return drain_.view(); }, [this] { return bans_.in_force(); },
                     [this] {
                         return edges_.certificates();
                     }}));
}

std::unique_ptr<app> build(const settings& given, host::process& process) {
    return std::make_unique<app>(given, process);
}

} // namespace relais::gateway
