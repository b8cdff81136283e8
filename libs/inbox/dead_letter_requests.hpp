#pragma once

#include "http/router.hpp"
#include "inbox/dead_letters.hpp"
#include "log/logger.hpp"
#include "postgres/pool.hpp"

#include <chrono>

namespace relais::inbox::detail {

/// Inside this library only: what the admin API's handlers share. Errors are `invalid` /
/// "unknown-value", with what was expected.

/// Of a request; what takes longer is refused before it begins.
inline constexpr std::chrono::seconds redrive_time_max{50};

using answer = boost::asio::awaitable<result<http::response>>;

struct api_parts {
    pg::pool& database;
    const clock& time;
    log::logger logger;
};

/// A query parameter; empty when it is absent.
result<std::string> word_of(const http::request& request, std::string_view name);
result<std::int64_t> id_from(std::string_view text);
result<dead_letter_filter> filter_from(const http::request& request);
/// Letters a second.
result<std::int64_t> rate_from(const http::request& request);

/// What a POST says: who, why, and whether it is meant (else a dry run).
struct order {
    deed doing;
    bool meant = false;
};

result<order> order_from(const http::request& request);

answer redrive_many(api_parts& with, const http::request& request);
answer redrive_one(api_parts& with, const http::request& request);
answer edit_one(api_parts& with, const http::request& request);
answer discard_one(api_parts& with, const http::request& request);

} // namespace relais::inbox::detail
