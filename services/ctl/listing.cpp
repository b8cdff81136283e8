#include "ctl/listing.hpp"

#include "ctl/databases.hpp"

#include <fmt/format.h>

namespace relais::ctl {

result<void>
print_listing(const context& where, const arguments& given, const listing& what,
              const std::function<std::size_t(pg::transaction&, const std::string& service,
                                              http::json_writer&)>& add) {
    const auto services = chosen_services(given);
    if (!services) {
        return fail(services);
    }
    http::json_writer json;
    json.begin_object().begin_array(what.name);
    std::size_t count = 0;
    for (const auto& service : *services) {
        const auto work = [&](pg::transaction& tx) -> result<void> {
            count += add(tx, service, json);
            return {};
        };
        const auto done = on_database(where, service, work, what.at_most);
        if (!done) {
            return done;
        }
    }
    json.end_array().end_object();
    if (given.has("--json")) {
        fmt::print("{}\n", json.take());
    } else if (count == 0 && !what.none.empty()) {
        fmt::print("{}\n", what.none);
    }
    return {};
}

} // namespace relais::ctl
