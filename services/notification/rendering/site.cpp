#include "notification/rendering/site.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relais::notification {
namespace {

constexpr std::size_t shown_max = 120; // of a name or title that people typed, in bytes

/// One line, without control characters, cut at a character's border.
std::string shown(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(byte < 32 || byte == 127 ? ' ' : c);
    }
    if (out.size() > shown_max) {
        auto end = shown_max;
        while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) {
            --end;
        }
        out.resize(end);
        out += "…";
    }
    return out;
}

std::int64_t hours_until(const facts& known, timestamp now) {
    if (!known.token_expires_at) {
        return 0;
    }
    // Rounded to the nearest hour: 24 h less the seconds since the click are 24.
    const auto left = *known.token_expires_at - now + std::chrono::minutes(30);
    return std::max<std::int64_t>(1, std::chrono::floor<std::chrono::hours>(left).count());
}

} // namespace

std::string link_for(const kind& what, const facts& known, const particulars& read,
                     const site& shared) {
    if (what.name == "validate_email") {
        return fmt::format("{}/validate?token={}", shared.public_url, read.token);
    }
    if (what.name == "already_registered") {
        return shared.public_url + "/login";
    }
    return fmt::format("{}/jobs/{}", shared.public_url, known.job.value_or(job_id()).text());
}

view make_view(const kind& what, std::string_view language, const facts& known,
               const particulars& read, const site& shared) {
    view out;
    out["brand"] = shared.brand;
    out["language"] = std::string(language);
    out["name"] = shown(read.display_name);
    out["has_name"] = std::string(read.display_name.empty() ? "no" : "yes");
    out["link"] = link_for(what, known, read, shared);
    out["settings_link"] = shared.public_url + "/settings/notifications";
    if (what.name == "validate_email") {
        out["hours"] = hours_until(known, read.now);
    }
    if (what.category == category::activity) {
        out["job_title"] = shown(read.job_title);
        out["price"] = known.price.value_or(money{});
    }
    return out;
}

sample make_sample(int number) {
    sample out;
    out.read = {"Élise \"D'Or\" <b>", "Repair the roof & gutter", std::string(75, 'x'),
                timestamp(std::chrono::hours(490'000))};
    out.known.token_id = uuid();
    out.known.token_expires_at = out.read.now + std::chrono::hours(number);
    out.known.job = job_id();
    out.known.offer = offer_id();
    out.known.price = money{125'050, "EUR"};
    return out;
}

} // namespace relais::notification
