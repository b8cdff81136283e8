#pragma once

#include "ids/uuid.hpp"

namespace relais {

/// A UUID that says what it identifies: an account_id is not a job_id and not a string.
/// `Tag` is any type, never defined: `using account_id = id<struct account_tag>;`
template <class Tag>
class id {
public:
    id() = default; ///< the nil id

    explicit id(uuid value) : value_(value) {}

    static id make() {
        return id(make_uuid_v7());
    }

    /// Error: `invalid` / "invalid-id".
    static result<id> parse(std::string_view text) {
        auto value = uuid::parse(text);
        if (!value) {
            return fail(value);
        }
        return id(*value);
    }

    std::string text() const {
        return value_.text();
    }

    const uuid& value() const {
        return value_;
    }

    friend auto operator<=>(const id&, const id&) = default;

private:
    uuid value_;
};

using account_id = id<struct account_tag>;
using session_id = id<struct session_tag>;
using api_key_id = id<struct api_key_tag>;
using device_id = id<struct device_tag>;
using job_id = id<struct job_tag>;
using offer_id = id<struct offer_tag>;
using upload_id = id<struct upload_tag>;
using asset_id = id<struct asset_tag>;
using campaign_id = id<struct campaign_tag>;
using event_id = id<struct event_tag>;

} // namespace relais

template <class Tag>
struct std::hash<relais::id<Tag>> {
    std::size_t operator()(const relais::id<Tag>& value) const noexcept {
        return std::hash<relais::uuid>()(value.value());
    }
};
