#pragma once

#include "http/message.hpp"
#include "upload/handlers/dependencies.hpp"

#include <boost/asio/awaitable.hpp>

namespace relais::upload {

using answer = boost::asio::awaitable<result<http::response>>;

/// POST /v1/uploads: a grant, with what a client needs to send the file to the store itself.
answer create_upload(dependencies& with, const http::request& request);

/// GET /v1/uploads/{id}: for its owner; nobody else learns that it exists.
answer show_upload(dependencies& with, const http::request& request);

/// POST /v1/uploads/{id}/completion: the client says that it has sent the file. Only a hint; may be
/// repeated.
answer complete_upload(dependencies& with, const http::request& request);

/// POST /internal/v1/object-events?token=…: the store says that objects were made. Only a hint;
/// messages that make no sense are accepted and counted.
answer note_objects(dependencies& with, const http::request& request);

} // namespace relais::upload
