#pragma once

#include <string_view>

namespace relais::gateway {

/// A serialized FileDescriptorSet of proto/relais/edge/v1/routes.proto and of what it imports, with
/// their comments, which the generated code does not have.
std::string_view route_form();

} // namespace relais::gateway
