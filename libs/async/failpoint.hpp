#pragma once

/// Told the name of each failpoint that is reached, on whatever thread. No library defines it: a
/// test program that does (tests/backbone) decides there whether to go on, wait, stop or end the
/// process. In every other program it is missing, and a failpoint is a comparison with null.
extern "C" __attribute__((weak)) void relais_failpoint_reached(const char* name);

namespace relais::async {

/// A moment at which a process may die without harm, which the chaos test `backbone` proves by
/// killing it there: "relay.after_delivery". The names are constants, listed in tests/backbone.
inline void failpoint(const char* name) {
    if (relais_failpoint_reached != nullptr) {
        relais_failpoint_reached(name);
    }
}

} // namespace relais::async
