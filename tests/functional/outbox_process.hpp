#pragma once

#include "functional/outbox_rig.hpp"
#include "support/environment.hpp"
#include "support/test_process.hpp"

namespace relais::test {

inline constexpr const char* url_variable = "RELAIS_TEST_CRASH_URL";
inline constexpr const char* prefix_variable = "RELAIS_TEST_CRASH_PREFIX";
inline constexpr const char* mode_variable = "RELAIS_TEST_CRASH_MODE";

/// A relay in a process of its own: this binary, running the hidden test case [relay-process].
inline test_process start_relay(const outbox_rig& on, outbox::relay_mode mode = {}) {
    return {"[relay-process]",
            {{url_variable, on.database.url()},
             {prefix_variable, on.topics.prefix()},
             {mode_variable, mode == outbox::relay_mode::polling ? "polling" : "logical"}}};
}

/// Whether a relay has the slot, or shards.
inline bool slot_taken(const outbox_rig& on) {
    return on.database.value(
               "select exists (select from pg_replication_slots where active"
               " and database = current_database()) or exists (select from pg_locks where granted"
               " and classid::bigint = hashtext('relais_outbox_shard')::bigint & 4294967295"
               " and database = (select oid from pg_database where datname ="
               " current_database()))") == "t";
}

} // namespace relais::test
