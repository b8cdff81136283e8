#pragma once

#include "gateway/access/access_names.hpp"
#include "gateway/access/access_record.hpp"
#include "gateway/access/line_cursor.hpp"
#include "gateway/access/shown_address.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace relais::gateway {

/// Renders records as lines of the log: one JSON object each, with the keys that the log library
/// writes (timestamp, severity, service, instance, trace_id, span_id, event: "request") and those
/// of the request. The timestamp is the end of the request. Keys of what a request did not come to
/// are left out, but for those that were always there. One thread.
class access_lines {
public:
    /// `names` must outlive this.
    access_lines(std::string_view service, std::string_view instance, const access_names& names,
                 client_shown shown);

    /// Appends the line with its newline. Any bytes in the record's texts give valid JSON.
    void append(std::string& out, const access_record& record);

private:
    /// Names as JSON strings, made once each.
    class quoted_names {
    public:
        explicit quoted_names(const name_table& names) : names_(names) {}

        std::string_view get(std::uint16_t index);

    private:
        const name_table& names_;
        std::vector<std::string> known_;
    };

    void write_beginning(line_cursor& out, const access_record& record);
    void write_outcome(line_cursor& out, const access_record& record);
    void write_upstream(line_cursor& out, const access_record& record);
    void write_client(line_cursor& out, const access_record& record);

    client_shown shown_;
    std::string source_; ///< `Z","severity":"INFO","service":"…","instance":"…","trace_id":"`
    quoted_names routes_;
    quoted_names upstreams_;
    quoted_names instances_;
    std::chrono::sys_seconds second_{};
    std::string second_text_; ///< `{"timestamp":"2026-11-23T06:46:44.`
    std::string client_;      ///< of the line that is made
    std::string line_;        ///< room for it
};

} // namespace relais::gateway
