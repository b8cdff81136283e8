#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relais::upload {

/// `staging/2026-11-23/<upload id>`: made by us, nothing of the client's in it. The date lets a
/// listing be cut by day.
std::string staging_key(upload_id upload, timestamp granted_at);

/// The upload a staging key belongs to; nullopt for any other key.
std::optional<upload_id> upload_of_staging_key(std::string_view key);

/// `v/<sha256[0:2]>/<sha256>/<recipe>-<size>.webp`: says all that decides the content, so an object
/// under it never changes and may be cached for ever. sha256: lower-case hex of the original.
std::string variant_key(std::string_view sha256, std::string_view recipe_name, std::uint32_t size);

} // namespace relais::upload
