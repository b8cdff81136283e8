#include "gateway/access/access_line.hpp"

#include "clock/rfc3339.hpp"
#include "log/json_text.hpp"

#include <span>

namespace relais::gateway {
namespace {

using std::chrono::microseconds;

constexpr std::size_t fraction_digits = 6;
/// More than keys, words, numbers and ids of a line come to.
constexpr std::size_t fixed_parts_max = 2'048;

void write_phase(line_cursor& out, std::string_view key, microseconds duration) {
    if (duration >= microseconds(0)) {
        out.text(key);
        out.milliseconds(duration);
    }
}

void write_uuid(line_cursor& out, const uuid& id) {
    const std::span<const std::uint8_t> bytes(id.bytes());
    out.hex(bytes.first(4));
    for (const std::size_t begin : {4, 6, 8}) {
        out.text("-");
        out.hex(bytes.subspan(begin, 2));
    }
    out.text("-");
    out.hex(bytes.last(6));
}

/// The texts of a record with all bytes escaped.
std::size_t texts_max(const access_record& record) {
    return line_cursor::escaped_max *
           (record.method.view().size() + record.request_id.view().size() +
            record.path.view().size() + record.user_agent.view().size() +
            record.detail.view().size());
}

} // namespace

std::string_view access_lines::quoted_names::get(std::uint16_t index) {
    const std::size_t given_out = names_.size();
    const std::size_t place = index < given_out ? index : name_table::other;
    if (place >= known_.size()) {
        known_.resize(given_out);
    }
    auto& text = known_[place];
    if (text.empty()) {
        log::append_json_string(text, names_.name(index));
    }
    return text;
}

access_lines::access_lines(std::string_view service, std::string_view instance,
                           const access_names& names, client_shown shown)
    : shown_(shown), source_(R"(Z","severity":"INFO","service":)"), routes_(names.routes),
      upstreams_(names.upstreams), instances_(names.instances) {
    log::append_json_string(source_, service);
    source_ += R"(,"instance":)";
    log::append_json_string(source_, instance);
    source_ += R"(,"trace_id":")";
}

void access_lines::append(std::string& out, const access_record& record) {
    client_.clear();
    append_client(client_, record, shown_);
    const std::size_t room =
        fixed_parts_max + texts_max(record) + source_.size() + routes_.get(record.route).size() +
        upstreams_.get(record.upstream).size() + instances_.get(record.upstream_instance).size();
    if (line_.size() < room) {
        line_.resize(room);
    }
    line_cursor to(line_.data());
    write_beginning(to, record);
    write_outcome(to, record);
    write_upstream(to, record);
    write_client(to, record);
    to.text("}\n");
    out.append(line_.data(), to.end());
}

/// Most lines are of the second that the one before was of.
void access_lines::write_beginning(line_cursor& out, const access_record& record) {
    const timestamp when = record.start + record.total;
    const auto second = std::chrono::floor<std::chrono::seconds>(when);
    if (second != second_ || second_text_.empty()) {
        second_ = second;
        second_text_ = R"({"timestamp":")" + to_rfc3339(second);
        second_text_.resize(second_text_.size() - fraction_digits - 1); // "000000Z"
    }
    out.text(second_text_);
    out.padded(static_cast<std::uint64_t>((when - second).count()), fraction_digits);
    out.text(source_);
    out.hex(record.trace.trace_id);
    out.text(R"(","span_id":")");
    out.hex(record.trace.span_id);
    out.text(R"(","event":"request","method":)");
    out.quoted(record.method.view());
}

void access_lines::write_outcome(line_cursor& out, const access_record& record) {
    out.text(R"(,"route":)");
    out.text(routes_.get(record.route));
    out.text(R"(,"status":)");
    out.number(record.status);
    out.text(R"(,"duration_ms":)");
    out.milliseconds(record.total);
    out.text(R"(,"request_bytes":)");
    out.number(record.request_bytes);
    out.text(R"(,"response_bytes":)");
    out.number(record.response_bytes);
    out.text(R"(,"request_id":)");
    out.quoted(record.request_id.view());
    out.text(R"(,"error_reason":")");
    out.text(to_string(record.reason));
    out.text(R"(","code":")");
    out.text(heroku_code(record.reason));
    if (record.detail.empty()) {
        out.text(R"(","upstream_ms":)");
    } else {
        out.text(R"(","detail":)");
        out.quoted(record.detail.view());
        out.text(R"(,"upstream_ms":)");
    }
    out.milliseconds(record.service);
    write_phase(out, R"(,"queue_ms":)", record.queue);
    write_phase(out, R"(,"connect_ms":)", record.connect);
    write_phase(out, R"(,"transfer_ms":)", record.transfer);
}

void access_lines::write_upstream(line_cursor& out, const access_record& record) {
    out.text(R"(,"upstream":)");
    out.text(upstreams_.get(record.upstream));
    if (record.upstream_instance != name_table::none) {
        out.text(R"(,"upstream_instance":)");
        out.text(instances_.get(record.upstream_instance));
    }
    if (record.retries > 0) {
        out.text(R"(,"retries":)");
        out.number(record.retries);
    }
    if (record.hedged) {
        out.text(R"(,"hedged":true)");
    }
    if (record.connection_reused) {
        out.text(R"(,"connection_reused":true)");
    }
    if (record.cache != cache_status::none) {
        out.text(R"(,"cache":")");
        out.text(to_string(record.cache));
        out.text("\"");
    }
}

void access_lines::write_client(line_cursor& out, const access_record& record) {
    out.text(R"(,"protocol":")");
    out.text(to_string(record.protocol));
    out.text(record.tls ? R"(","tls":true,"path":)" : R"(","tls":false,"path":)");
    out.quoted(record.path.view());
    if (!client_.empty()) {
        out.text(R"(,"client":")");
        out.text(client_);
        out.text("\"");
    }
    if (record.account) {
        out.text(R"(,"account_id":")");
        write_uuid(out, *record.account);
        out.text("\"");
    }
    if (!record.user_agent.empty()) {
        out.text(R"(,"user_agent":)");
        out.quoted(record.user_agent.view());
    }
}

} // namespace relais::gateway
