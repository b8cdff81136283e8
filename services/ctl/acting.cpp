#include "ctl/acting.hpp"

#include "outbox/audit.hpp"

namespace relais::ctl {

acting acting_of(const context& where, const arguments& given) {
    const auto user = where.environment.find("USER");
    const std::string usual = user == where.environment.end() ? "unknown" : user->second;
    return {given.value("--by").value_or(usual), given.value("--why").value_or("")};
}

void note_act(pg::transaction& tx, const acting& who, const std::string& service,
              const std::string& action, const std::string& target) {
    outbox::note_act(tx,
                     {.service = service,
                      .who = who.by,
                      .action = action,
                      .target = target,
                      .why = who.why,
                      .before = "",
                      .after = ""},
                     system_clock().now());
}

} // namespace relais::ctl
