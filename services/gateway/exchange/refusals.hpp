#pragma once

#include "gateway/access/access_record.hpp"
#include "gateway/loop/edge_loop.hpp"
#include "gateway/routing/route_table.hpp"
#include "http/gate.hpp"
#include "http/message.hpp"

#include <string>
#include <string_view>

namespace relais::gateway {

/// Fills in what the request says: id and trace (the client's where they are valid), method, path …
void begin_record(access_record& record, const http::request_head& head, edge_loop& loop);

/// 404 or 405 (with Allow): why there is no route for this request.
error no_route(const route_table& routes, const http::request_head& head);

/// 404 of a route whose pages have nothing at this path.
error nothing_there();

/// 413 before anything is done, from the announced length.
result<void> check_size(const route& found, const http::request_head& head);

/// For routes with failures_as_429: a service's failure as a request to come again.
error failure_as_429(const error& why);

/// The problem document the client gets when the gateway answers itself.
http::response refusal_answer(const error& why, const access_record& record);

/// The words that go with a status.
std::string_view reason_phrase(int status);

} // namespace relais::gateway
