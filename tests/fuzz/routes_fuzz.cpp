// A routes file. It is refused with its problems, or it is a table whose routes are found again.
#include "config/reader.hpp"
#include "fuzz/fuzz_target.hpp"
#include "gateway/routing/route_table.hpp"

#include <string>

using namespace relais;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(fuzz::as_text(data, size));
    config::reader from({});
    const auto table = gateway::read_route_table(text, from);
    if (!from.problems().empty()) {
        for (const auto& each : from.problems()) {
            fuzz::require(!each.empty());
        }
        return 0;
    }
    for (const auto& each : table.routes) {
        for (const auto* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
            if (gateway::allows(each, method)) {
                const auto* found = table.find(each.prefix, method);
                fuzz::require(found != nullptr && found->prefix == each.prefix);
            }
        }
    }
    return 0;
}
