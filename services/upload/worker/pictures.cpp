#include "upload/worker/pictures.hpp"

#include "upload/picture/webp.hpp"

#include <vips/vips8>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace relais::upload {
namespace {

using vips::VImage;

struct decoder {
    std::string_view content_type;
    std::string_view loader; ///< what libvips calls it in the picture's "vips-loader"
    const char* operation;   ///< its class, to let it through the block
};

constexpr std::array decoders{
    decoder{"image/jpeg", "jpegload_buffer", "VipsForeignLoadJpeg"},
    decoder{"image/png", "pngload_buffer", "VipsForeignLoadPng"},
    decoder{"image/webp", "webpload_buffer", "VipsForeignLoadWebp"},
    decoder{"image/gif", "gifload_buffer", "VipsForeignLoadNsgif"},
};

/// Only the first frame is shown. A film costs its reader a walk through all of it.
constexpr std::uint32_t frames_max = 1'000;

/// As a string for the loader: libvips 8.14 does not hand the thumbnailer's own fail_on down, and
/// would show the missing part of a truncated picture in grey.
constexpr const char* decode_strictly = "[fail_on=error]";

struct blob_unref {
    void operator()(VipsBlob* blob) const {
        vips_area_unref(VIPS_AREA(blob));
    }
};

using blob_handle = std::unique_ptr<VipsBlob, blob_unref>;

blob_handle blob_of(const std::string& bytes) {
    return blob_handle(vips_blob_new(nullptr, bytes.data(), bytes.size())); // not copied, not owned
}

picture_answer refuse(std::string reason) {
    picture_answer out;
    out.reason = std::move(reason);
    return out;
}

VImage open_header(VipsBlob* blob, std::string_view type) {
    vips::VOption* how =
        VImage::option()->set("access", VIPS_ACCESS_SEQUENTIAL)->set("fail_on", VIPS_FAIL_ON_ERROR);
    if (type == "image/jpeg") {
        return VImage::jpegload_buffer(blob, how);
    }
    if (type == "image/png") {
        return VImage::pngload_buffer(blob, how);
    }
    if (type == "image/webp") {
        return VImage::webpload_buffer(blob, how);
    }
    return VImage::gifload_buffer(blob, how);
}

picture_facts facts_of(const VImage& header) {
    picture_facts out;
    out.width = static_cast<std::uint32_t>(header.width());
    out.height = static_cast<std::uint32_t>(header.height());
    out.pages = 1;
    if (header.get_typeof("n-pages") != 0) {
        out.pages = static_cast<std::uint32_t>(std::max(1, header.get_int("n-pages")));
    }
    if (header.get_typeof("vips-loader") != 0) {
        out.loader = header.get_string("vips-loader");
    }
    return out;
}

/// The largest variant, decoded no further than it needs (shrink-on-load), upright, in sRGB.
VImage largest(VipsBlob* blob, const recipe& how, const picture_facts& facts) {
    const auto size = how.sizes.back();
    const auto side = std::min({size, facts.width, facts.height});
    const int length = static_cast<int>(how.square ? side : size);
    vips::VOption* options = VImage::option()
                                 ->set("height", length)
                                 ->set("option_string", decode_strictly)
                                 ->set("export_profile", "srgb");
    if (how.square) {
        options->set("crop", VIPS_INTERESTING_CENTRE);
    } else {
        options->set("size", VIPS_SIZE_DOWN);
    }
    return VImage::thumbnail_buffer(blob, length, options).copy_memory();
}

std::string encode_webp(const VImage& image, std::uint32_t quality) {
    void* bytes = nullptr;
    std::size_t length = 0;
    image.write_to_buffer(
        ".webp", &bytes, &length,
        VImage::option()->set("Q", static_cast<int>(quality))->set("smart_subsample", true));
    const std::unique_ptr<void, decltype(&g_free)> owner(bytes, &g_free);
    auto bare = without_metadata({static_cast<const char*>(bytes), length});
    if (!bare) {
        throw std::runtime_error("libvips wrote something else than one WebP picture");
    }
    return std::move(*bare);
}

made_variant encode(const VImage& image, std::uint32_t size, std::uint32_t quality) {
    return {size, static_cast<std::uint32_t>(image.width()),
            static_cast<std::uint32_t>(image.height()), encode_webp(image, quality)};
}

/// A picture smaller than a size is not blown up: it gives one variant of its own size, and none
/// for the sizes above.
std::vector<made_variant> encode_all(const VImage& base, const recipe& how) {
    std::vector<made_variant> out;
    const auto longest = static_cast<std::uint32_t>(std::max(base.width(), base.height()));
    for (const std::uint32_t size : how.sizes) {
        if (size >= longest) {
            out.push_back(encode(base, size, how.quality));
            break;
        }
        const int length = static_cast<int>(size);
        const VImage small = base.thumbnail_image(
            length, VImage::option()->set("height", length)->set("size", VIPS_SIZE_DOWN));
        out.push_back(encode(small, size, how.quality));
    }
    return out;
}

} // namespace

void start_pictures() {
    setenv("VIPSHOME", "/nonexistent", 1);  // modules are looked for below it
    setenv("VIPS_DISC_THRESHOLD", "8g", 1); // large pictures stay in memory: there is no disc
    setenv("VIPS_NOVECTOR", "1", 1);        // no code is generated at run time
    if (VIPS_INIT("relais-upload-worker") != 0) {
        throw std::runtime_error("libvips does not start");
    }
    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    for (const decoder& each : decoders) {
        vips_operation_block_set(each.operation, FALSE);
    }
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    g_log_set_default_handler([](const char*, GLogLevelFlags, const char*, void*) {}, nullptr);
}

picture_answer make_variants(const picture_request& request) {
    const auto known =
        std::ranges::find(decoders, request.recipe.content_type, &decoder::content_type);
    if (known == decoders.end()) {
        return refuse("type-mismatch");
    }
    try {
        const blob_handle blob = blob_of(request.picture);
        picture_answer out;
        out.facts = facts_of(open_header(blob.get(), known->content_type));
        const std::uint64_t pixels =
            std::uint64_t{out.facts.width} * out.facts.height * out.facts.pages;
        if (out.facts.loader != known->loader) {
            return refuse("type-mismatch");
        }
        if (out.facts.pages > frames_max) {
            return refuse("too-many-frames");
        }
        if (pixels > request.recipe.pixels_max) {
            return refuse("too-many-pixels");
        }
        out.variants = encode_all(largest(blob.get(), request.recipe, out.facts), request.recipe);
        return out;
    } catch (const vips::VError&) {
        vips_error_clear(); // global to the process; its text may quote the picture
        return refuse("undecodable");
    }
}

} // namespace relais::upload
