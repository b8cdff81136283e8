#pragma once

#include "http/json_writer.hpp"
#include "upload/domain/upload.hpp"
#include "upload/handlers/dependencies.hpp"

namespace relais::upload {

/// Everything a client needs to send the file, as members `put` and `post`. Both bind key, type and
/// size; the PUT also says that nothing may be overwritten. Signed for the public endpoint.
void write_grant(http::json_writer& json, const upload_record& value, const dependencies& with);

} // namespace relais::upload
