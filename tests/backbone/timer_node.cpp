#include "async/failpoint.hpp"
#include "backbone/node.hpp"
#include "timers/runner.hpp"

#include <fmt/format.h>

namespace relais::backbone {

/// --url SOURCE [--instance NAME]. Each firing becomes a row of `fired`.
void run_timers(const options& given) {
    node on(given, "timers");
    pg::pool database(on.pool_settings(2), on.metrics(), on.logger());
    const system_clock time;
    timers::runner runner(database, time, on.loop(), on.metrics(), on.logger());
    const auto by = given.text("instance", "timers");
    std::atomic<std::int64_t> fired = 0;
    runner.on("chaos",
              [&](pg::transaction& tx, const timers::timer& each, timestamp now) -> result<void> {
                  async::failpoint("timers.before_effects");
                  tx.exec("insert into fired (timer_id, due_at, handler_now, fired_by)"
                          " values ($1, $2, $3, $4)",
                          {each.id, each.due_at, now, by});
                  ++fired;
                  async::failpoint("timers.before_commit");
                  tx.after_commit([] { async::failpoint("timers.after_commit"); });
                  return {};
              });
    on.tasks().spawn("timers", runner.run());
    on.run();
    fmt::print("{{\"fired\":{}}}\n", fired.load());
}

} // namespace relais::backbone
