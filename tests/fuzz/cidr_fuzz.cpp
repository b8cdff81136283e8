// Blocks of addresses as an operator or an event writes them, and lists of them: what is read comes
// out again as text that is read as the same.
#include "fuzz/fuzz_target.hpp"
#include "gateway/client_address/cidr_set.hpp"

using namespace relais;
using namespace relais::gateway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::as_text(data, size);
    const auto block = cidr::parse(text);
    if (block) {
        const auto again = cidr::parse(block->text());
        fuzz::require(again && *again == *block);
        fuzz::require(block->contains(block->network()));
        fuzz::require(block->contains(to_address(block->network())));
        const cidr_set set(std::span(&*block, 1));
        fuzz::require(set.contains(to_address(block->network())));
    } else {
        fuzz::require(block.error().slug == "invalid-cidr");
    }
    const auto address = parse_address_and_port(text);
    if (address) {
        fuzz::require(*address == unmapped(*address));
        fuzz::require(parse_address(address->to_string()) == *address);
        fuzz::require(cidr::around(*address, 128).contains(*address));
    }
    const auto set = cidr_set::parse(text);
    fuzz::require(set || set.error().slug == "invalid-cidr");
    return 0;
}
