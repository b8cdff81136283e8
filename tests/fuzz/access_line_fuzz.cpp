// A line of the gateway's access log. The input: lines of text become method, request id, target,
// user agent, route and service; the rest is numbers. The line must be one line of valid JSON that
// holds the numbers.
#include "fuzz/fuzz_target.hpp"
#include "gateway/access/access_line.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <cstring>

using namespace relais;
using namespace relais::gateway;

namespace {

template <class Number>
Number take_number(std::string_view& rest) {
    Number value{};
    const auto size = std::min(sizeof value, rest.size());
    std::memcpy(&value, rest.data(), size);
    rest.remove_prefix(size);
    return value;
}

access_record read_record(std::string_view rest, access_names& names) {
    access_record record;
    record.method.assign(fuzz::take_line(rest));
    record.request_id.assign(fuzz::take_line(rest));
    record.set_target(fuzz::take_line(rest));
    record.user_agent.assign(fuzz::take_line(rest));
    record.route = names.routes.index_of(fuzz::take_line(rest));
    record.upstream = names.upstreams.index_of(fuzz::take_line(rest));
    record.upstream_instance = take_number<std::uint16_t>(rest);
    record.status = take_number<std::uint16_t>(rest);
    record.response_bytes = take_number<std::uint64_t>(rest);
    record.total = std::chrono::microseconds(take_number<std::uint32_t>(rest));
    record.service = std::chrono::microseconds(take_number<std::int32_t>(rest));
    record.start = timestamp(std::chrono::microseconds(take_number<std::uint32_t>(rest)));
    record.reason = static_cast<error_reason>(take_number<std::uint8_t>(rest) % error_reason_count);
    record.set_client(take_number<std::array<std::uint8_t, 16>>(rest));
    record.detail.assign_marked(rest);
    return record;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    access_names names{name_table(4), name_table(4), name_table(4)};
    const auto record = read_record(fuzz::as_text(data, size), names);
    access_lines lines("gateway", "gateway-1", names, client_shown::whole);
    std::string line;
    lines.append(line, record);
    fuzz::require(line.find('\n') == line.size() - 1);
    boost::system::error_code failed;
    const auto read = boost::json::parse(line, failed);
    fuzz::require(!failed && read.is_object());
    const auto& object = read.get_object();
    fuzz::require(object.at("status").to_number<std::uint64_t>() == record.status &&
                  object.at("response_bytes").to_number<std::uint64_t>() == record.response_bytes &&
                  object.at("error_reason").get_string() == to_string(record.reason));
    return 0;
}
