#include "agent/worker/data/image_file.h"

#include <memory>
#include <string_view>

#ifdef FLEETMARK_HAVE_JPEG
#include <turbojpeg.h>
#endif
#ifdef FLEETMARK_HAVE_PNG
#include <png.h>
#endif

#include "agent/worker/data/whole_file.h"
#include "agent/worker/failure.h"

namespace fleetmark {
namespace {

// Larger than what cameras make; a header that claims more is a mistake or an attack.
constexpr int64_t kMostPixels = int64_t{1} << 28;

Status Broken(const std::filesystem::path& path, const std::string& why) {
  return DataCorrupt(path.string() + " cannot be read: " + why);
}

[[maybe_unused]] Status NoLibrary(const std::filesystem::path& path, const char* format) {
  return Unsupported(path.string() + " is a " + format + ", and this worker was built without the library for it");
}

StatusOr<ColourImage> DecodeJpeg(const std::filesystem::path& path, const std::string& bytes) {
#ifdef FLEETMARK_HAVE_JPEG
  const std::unique_ptr<void, int (*)(tjhandle)> decoder(tjInitDecompress(), tjDestroy);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  ColourImage image;
  int subsampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder.get(), data, bytes.size(), &image.width, &image.height, &subsampling, &colours) !=
      0) {
    return Broken(path, tjGetErrorStr2(decoder.get()));
  }
  if (int64_t{image.width} * image.height > kMostPixels) return Broken(path, "it is too large");
  image.pixels.resize(size_t{3} * static_cast<size_t>(image.width) * static_cast<size_t>(image.height));
  if (tjDecompress2(decoder.get(), data, bytes.size(), image.pixels.data(), image.width, 0, image.height, TJPF_RGB,
                    TJFLAG_STOPONWARNING) != 0) {
    return Broken(path, tjGetErrorStr2(decoder.get()));
  }
  return image;
#else
  (void)bytes;
  return NoLibrary(path, "JPEG");
#endif
}

StatusOr<ColourImage> DecodePng(const std::filesystem::path& path, const std::string& bytes) {
#ifdef FLEETMARK_HAVE_PNG
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) == 0) return Broken(path, header.message);
  header.format = PNG_FORMAT_RGB;
  ColourImage image = {static_cast<int>(header.width), static_cast<int>(header.height), {}};
  if (int64_t{image.width} * image.height > kMostPixels) {
    png_image_free(&header);
    return Broken(path, "it is too large");
  }
  image.pixels.resize(PNG_IMAGE_SIZE(header));
  const png_color black = {};  // behind what is transparent
  if (png_image_finish_read(&header, &black, image.pixels.data(), 0, nullptr) == 0) return Broken(path, header.message);
  return image;
#else
  (void)bytes;
  return NoLibrary(path, "PNG");
#endif
}

}  // namespace

StatusOr<ColourImage> ReadImageFile(const std::filesystem::path& path) {
  constexpr std::string_view kJpeg = "\xff\xd8\xff", kPng = "\x89PNG\r\n\x1a\n";
  const StatusOr<std::string> read = ReadWholeFile(path);
  if (!read.ok()) return DataCorrupt(read.status().message());
  const std::string& bytes = *read;
  if (bytes.starts_with(kJpeg)) return DecodeJpeg(path, bytes);
  if (bytes.starts_with(kPng)) return DecodePng(path, bytes);
  return Broken(path, "it is neither a JPEG nor a PNG");
}

}  // namespace fleetmark
