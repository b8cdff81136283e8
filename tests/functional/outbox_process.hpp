#pragma once

#include "functional/outbox_rig.hpp"
#include "support/environment.hpp"
#include "support/test_process.hpp"

namespace relais::test {

inline constexpr const char* url_variable = "RELAIS_TEST_CRASH_URL";
inline constexpr const char* prefix_variable = "RELAIS_TEST_CRASH_PREFIX";

/// A relay in a process of its own: this binary, running the hidden test case [relay-process].
inline test_process start_relay(const outbox_rig& on) {
    return {"[relay-process]",
            {{url_variable, on.database.url()}, {prefix_variable, on.topics.prefix()}}};
}

/// Whether a relay has the slot.
inline bool slot_taken(const outbox_rig& on) {
    return on.database.value("select count(*) from pg_replication_slots where active"
                             " and database = current_database()") == "1";
}

} // namespace relais::test
