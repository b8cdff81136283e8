#pragma once

#include "http/gate.hpp"

#include <span>
#include <string_view>

namespace relais::gateway {

/// Walks a list field (RFC 9110 §5.6.1) from its last element to its first over all its field
/// lines, which together are one list. From the right, because there stands what the nearest proxy
/// wrote: whatever a client put before it, an open quotation mark included, cannot change how the
/// proxies' elements are read. Empty elements are skipped; the views point into the fields.
class list_from_right {
public:
    enum class quoting {
        none,           ///< every comma separates (X-Forwarded-For)
        quoted_strings, ///< not those inside of quoted strings (Forwarded)
    };

    list_from_right(std::span<const http::field_view> fields, std::string_view name, quoting quotes)
        : fields_(fields), name_(name), quotes_(quotes) {}

    /// The next element to the left, without the blanks around it; false when there is none. An
    /// element whose quotation marks do not match reaches to the beginning of its line.
    bool next(std::string_view& element);

private:
    bool next_line();

    std::span<const http::field_view> fields_; ///< not yet looked at
    std::string_view name_;
    quoting quotes_;
    std::string_view line_; ///< what is left of the current one
};

} // namespace relais::gateway
