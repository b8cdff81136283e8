#pragma once

#include "clock/clock.hpp"
#include "ids/id.hpp"
#include "upload/domain/purpose.hpp"
#include "upload/domain/upload_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace relais::upload {

/// What a client says about the file it wants to send. All of it is checked against the bytes
/// later.
struct announced_file {
    std::string content_type;
    std::uint64_t size_bytes = 0;
    std::string sha256; ///< lower-case hex, or empty
};

/// One picture file that may be shown.
struct variant {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::string key;
    std::uint64_t size_bytes = 0;

    friend bool operator==(const variant&, const variant&) = default;
};

struct upload_record {
    upload_id id;
    account_id owner;
    const upload::purpose* purpose = nullptr; ///< of the table in purpose.cpp, lives for ever
    upload_state state = upload_state::granted;
    announced_file file;
    std::string object_key;
    timestamp granted_at{};
    timestamp expires_at{};
    std::string reason; ///< why it was rejected; a stable slug
    asset_id asset;     ///< once ready
    std::vector<variant> variants;
};

/// What stands in the work table about an upload, if anything.
struct open_work {
    std::string last_error; ///< of the last try, or empty
};

/// What an upload waits for, in a word for its owner: "file" (nobody has said that it was sent),
/// "object-store" (which fails, or cannot be reached), "processing"; empty: for nothing any more.
std::string_view waits_for(upload_state state, const std::optional<open_work>& work);

/// Why a file may not even be sent, each with a pointer into the request: `invalid` /
/// "unsupported-type", `too_large` / "file-too-large", `invalid` / "invalid-sha256".
std::vector<error> check_announcement(const upload::purpose& purpose, const announced_file& file);

/// What the bytes themselves say against what was announced; empty: nothing. The reasons: "empty",
/// "wrong-size", "wrong-checksum", "not-an-image", "type-mismatch", "polyglot".
std::string reason_against(const announced_file& announced, std::string_view bytes,
                           std::string_view sha256_hex);

} // namespace relais::upload
