// What a server sends in the copy-both mode, and positions as text.
#include "fuzz/fuzz_target.hpp"
#include "outbox/replication_message.hpp"

using namespace relais;
using namespace relais::outbox;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::as_text(data, size);
    const auto message = decode_server_message(bytes);
    if (!message) {
        fuzz::require(message.error().slug == "replication-protocol");
    } else if (const auto* wal = std::get_if<wal_data>(&*message)) {
        fuzz::require(wal->payload.size() < size);
    }
    const auto position = parse_lsn(bytes);
    if (position) {
        const auto again = parse_lsn(to_text(*position));
        fuzz::require(again && *again == *position);
    }
    return 0;
}
