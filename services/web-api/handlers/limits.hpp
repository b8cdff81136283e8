#pragma once

#include "http/json_reader.hpp"

namespace relais::web_api {

// How long texts may be, in characters; openapi/ says the same (a test compares).
inline constexpr http::text_limits email_limits{3, 254};
inline constexpr http::text_limits display_name_limits{1, 80};
inline constexpr http::text_limits new_password_limits{8, 1024};
inline constexpr http::text_limits password_limits{1, 1024};
inline constexpr http::text_limits token_limits{1, 128};
inline constexpr http::text_limits subscription_id_limits{1, 128};
inline constexpr http::text_limits category_limits{1, 64};
inline constexpr http::text_limits locality_limits{1, 80};
inline constexpr http::text_limits title_limits{1, 120};
inline constexpr http::text_limits description_limits{1, 5000};
inline constexpr http::text_limits message_limits{1, 2000};
inline constexpr http::text_limits campaign_name_limits{1, 120};
inline constexpr http::text_limits template_limits{1, 64};

} // namespace relais::web_api
