#include "makers.hpp"

#include <vips/vips8>

#include <cstdint>
#include <string_view>
#include <vector>
#include <zlib.h>

namespace relais::test {
namespace {

using vips::VImage;

/// Smooth colours with some noise, so that it compresses like a photograph.
VImage photo(int width, int height) {
    const VImage xy = VImage::xyz(width, height);
    const VImage noise = VImage::gaussnoise(width, height, VImage::option()->set("sigma", 12.0));
    const std::vector<VImage> bands{xy.extract_band(0) * (255.0 / width),
                                    xy.extract_band(1) * (255.0 / height), noise};
    return VImage::bandjoin(bands)
        .cast(VIPS_FORMAT_UCHAR)
        .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
}

/// One colour, with the upper left quarter in another.
VImage marked(int width, int height, const std::vector<double>& ground,
              const std::vector<double>& mark) {
    const VImage base = VImage::black(width, height).new_from_image(ground);
    const VImage corner = VImage::black(width / 2, height / 2).new_from_image(mark);
    return base.insert(corner, 0, 0)
        .cast(VIPS_FORMAT_UCHAR)
        .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
}

std::string encoded(const VImage& image, const char* format, vips::VOption* how) {
    void* bytes = nullptr;
    std::size_t length = 0;
    image.write_to_buffer(format, &bytes, &length, how);
    std::string out(static_cast<const char*>(bytes), length);
    g_free(bytes);
    return out;
}

std::string jpeg(const VImage& image) {
    return encoded(image, ".jpg", VImage::option()->set("Q", 90));
}

std::string with_gps() {
    VImage image = marked(400, 200, {20, 20, 200}, {220, 20, 20}).copy();
    image.set("orientation", 6); // to be turned a quarter clockwise
    image.set("exif-ifd0-Orientation", "6 (6, Short, 1 components, 2 bytes)");
    image.set("exif-ifd0-Model", "Secret Camera (Secret Camera, ASCII, 14 components, 14 bytes)");
    image.set("exif-ifd3-GPSLatitudeRef", "N (N, ASCII, 2 components, 2 bytes)");
    image.set("exif-ifd3-GPSLatitude",
              "51/1 12/1 30/1 (51, 12, 30, Rational, 3 components, 24 bytes)");
    return jpeg(image);
}

std::string with_profile(const char* name, const std::vector<double>& colour) {
    VImage image = VImage::black(600, 600)
                       .new_from_image(colour)
                       .cast(VIPS_FORMAT_UCHAR)
                       .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
    VipsBlob* profile = nullptr;
    if (vips_profile_load(name, &profile, nullptr) != 0 || profile == nullptr) {
        throw vips::VError();
    }
    std::size_t length = 0;
    const void* bytes = vips_blob_get(profile, &length);
    image.set(VIPS_META_ICC_NAME, nullptr, const_cast<void*>(bytes), length);
    std::string out = jpeg(image);
    vips_area_unref(VIPS_AREA(profile));
    return out;
}

std::string broken_profile() {
    VImage image = photo(300, 300).copy();
    std::string profile = "this is no colour profile at all, but a camera wrote it";
    image.set(VIPS_META_ICC_NAME, nullptr, profile.data(), profile.size());
    return jpeg(image);
}

std::string cmyk() {
    const VImage image =
        VImage::black(300, 300)
            .new_from_image({0, 200, 200, 10})
            .cast(VIPS_FORMAT_UCHAR)
            .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_CMYK));
    return jpeg(image);
}

std::string animation() {
    std::vector<VImage> frames;
    for (int i = 0; i < 12; ++i) {
        frames.push_back(
            VImage::black(120, 90).new_from_image({20.0 * i, 40, 60}).cast(VIPS_FORMAT_UCHAR));
    }
    VImage all = VImage::arrayjoin(frames, VImage::option()->set("across", 1))
                     .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
    all.set("page-height", 90);
    return encoded(all, ".gif", nullptr);
}

void append_be(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += static_cast<char>(static_cast<std::uint8_t>(value >> shift));
    }
}

void append_chunk(std::string& out, std::string_view type, std::string_view content) {
    append_be(out, static_cast<std::uint32_t>(content.size()));
    const std::string checked = std::string(type) + std::string(content);
    out += checked;
    append_be(out,
              static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(checked.data()),
                                               static_cast<uInt>(checked.size()))));
}

/// A GIF of one-pixel frames.
std::string gif_of(int frames) {
    std::string out("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff", 19);
    for (int i = 0; i < frames; ++i) {
        out += std::string("\x21\xf9\x04\x00\x01\x00\x00\x00", 8);          // a hundredth second
        out += std::string("\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00", 10); // its place
        out += std::string("\x02\x02\x44\x01\x00", 5);                      // the pixel
    }
    return out + ";";
}

/// A PNG of a few bytes that claims the given size.
std::string png_claiming(std::uint32_t width, std::uint32_t height) {
    std::string header;
    append_be(header, width);
    append_be(header, height);
    header += std::string("\x08\x02\x00\x00\x00", 5); // 8 bits, RGB
    const std::string rows(1000, '\0');
    std::string packed(compressBound(rows.size()), '\0');
    uLongf length = packed.size();
    compress(reinterpret_cast<Bytef*>(packed.data()), &length,
             reinterpret_cast<const Bytef*>(rows.data()), rows.size());
    packed.resize(length);
    std::string out = "\x89PNG\r\n\x1a\n";
    append_chunk(out, "IHDR", header);
    append_chunk(out, "IDAT", packed);
    append_chunk(out, "IEND", "");
    return out;
}

} // namespace

const std::map<std::string, maker, std::less<>>& picture_makers() {
    static const std::map<std::string, maker, std::less<>> all{
        {"jpeg",
         [] {
             return jpeg(photo(800, 600));
         }},
        {"jpeg-small",
         [] {
             return jpeg(photo(100, 80));
         }},
        {"jpeg-12mp",
         [] {
             return jpeg(photo(4000, 3000));
         }},
        {"jpeg-50mp",
         [] {
             return jpeg(photo(8160, 6120));
         }},
        {"jpeg-progressive-12mp",
         [] {
             return encoded(photo(4000, 3000), ".jpg",
                            VImage::option()
                                ->set("Q", 90)
                                ->set("interlace", true)
                                ->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF));
         }},
        {"jpeg-progressive-50mp",
         [] {
             return encoded(photo(8160, 6120), ".jpg",
                            VImage::option()
                                ->set("Q", 90)
                                ->set("interlace", true)
                                ->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF));
         }},
        {"jpeg-progressive",
         [] {
             return encoded(photo(800, 600), ".jpg", VImage::option()->set("interlace", true));
         }},
        {"jpeg-gps", with_gps},
        {"jpeg-p3",
         [] {
             return with_profile("p3", {234, 51, 35});
         }},
        {"jpeg-broken-profile", broken_profile},
        {"jpeg-cmyk", cmyk},
        {"jpeg-truncated",
         [] {
             const std::string whole = jpeg(photo(800, 600));
             return whole.substr(0, whole.size() / 2);
         }},
        {"jpeg-grey",
         [] {
             return jpeg(photo(300, 200).extract_band(0));
         }},
        {"png",
         [] {
             return encoded(photo(800, 600), ".png", nullptr);
         }},
        {"png-16bit",
         [] {
             const VImage wide =
                 (photo(300, 300) * 257.0)
                     .cast(VIPS_FORMAT_USHORT)
                     .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_RGB16));
             return encoded(wide, ".png", nullptr);
         }},
        {"png-alpha",
         [] {
             return encoded(photo(300, 300).bandjoin(100), ".png", nullptr);
         }},
        {"png-interlaced-50mp",
         [] {
             return encoded(photo(8160, 6120), ".png",
                            VImage::option()->set("interlace", true)->set("compression", 1));
         }},
        {"png-50k",
         [] {
             return png_claiming(50'000, 50'000);
         }},
        {"png-cut",
         [] {
             return png_claiming(400, 400);
         }},
        {"webp",
         [] {
             return encoded(photo(800, 600), ".webp", nullptr);
         }},
        {"gif-animated", animation},
        {"gif-10k-frames",
         [] {
             return gif_of(10'000);
         }},
    };
    return all;
}

} // namespace relais::test
