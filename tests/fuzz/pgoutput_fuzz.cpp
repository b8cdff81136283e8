// Messages of the output plugin, one after the other, each with two bytes of length before it: a
// stream describes a table before its first row, and the rows are turned into records.
#include "fuzz/fuzz_target.hpp"
#include "outbox/event_rows.hpp"

using namespace relais;
using namespace relais::outbox;

namespace {

bool inside(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void check_inside(const pgoutput::message& change, std::string_view whole) {
    if (const auto* table = std::get_if<pgoutput::relation>(&change)) {
        fuzz::require(inside(table->schema, whole) && inside(table->name, whole));
        for (const auto& column : table->columns) {
            fuzz::require(inside(column.name, whole));
        }
    } else if (const auto* row = std::get_if<pgoutput::insert>(&change)) {
        for (const auto& each : row->values) {
            fuzz::require(!each || inside(each->bytes, whole));
        }
    } else if (const auto* note = std::get_if<pgoutput::logical_message>(&change)) {
        fuzz::require(inside(note->prefix, whole) && inside(note->content, whole));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::as_text(data, size);
    event_rows rows;
    while (rest.size() > 2) {
        const std::size_t wanted = static_cast<std::uint8_t>(rest[0]) * std::size_t{256} +
                                   static_cast<std::uint8_t>(rest[1]);
        rest.remove_prefix(2);
        const auto message = rest.substr(0, wanted);
        rest.remove_prefix(message.size());
        const auto change = pgoutput::decode(message);
        if (!change) {
            fuzz::require(change.error().slug == "pgoutput-undecodable");
            continue;
        }
        check_inside(*change, message);
        if (const auto* table = std::get_if<pgoutput::relation>(&*change)) {
            rows.describe(*table);
        } else if (const auto* row = std::get_if<pgoutput::insert>(&*change)) {
            const auto record = rows.read(*row);
            fuzz::require(record || record.error().slug == "outbox-row");
        }
    }
    return 0;
}
