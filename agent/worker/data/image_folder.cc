#include <algorithm>
#include <filesystem>

#include "agent/worker/data/image_file.h"
#include "agent/worker/data/image_source.h"
#include "agent/worker/failure.h"
#include "common/sha256.h"

namespace fleetmark {
namespace {

namespace fs = std::filesystem;

constexpr char kFolderHint[] = "put a directory of images there for each class, or take data=synthetic";

struct Entry {
  fs::path path;
  int64_t label;
};

class FolderSource : public ImageSource {
 public:
  FolderSource(std::vector<Entry> entries, std::string sha256)
      : entries_(std::move(entries)), sha256_(std::move(sha256)) {}

  int64_t size() const override { return static_cast<int64_t>(entries_.size()); }
  int64_t Label(int64_t index) const override { return At(index).label; }
  StatusOr<ColourImage> Read(int64_t index) const override { return ReadImageFile(At(index).path); }
  std::string data_name() const override { return "folder"; }
  std::string sha256() const override { return sha256_; }

 private:
  const Entry& At(int64_t index) const { return entries_[static_cast<size_t>(index)]; }

  const std::vector<Entry> entries_;
  const std::string sha256_;
};

bool IsImage(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char c) { return tolower(c); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

// What is in `directory`, by name.
std::vector<fs::path> List(const fs::path& directory, std::error_code* error) {
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(directory, *error), end; !*error && it != end; it.increment(*error)) {
    paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

StatusOr<std::unique_ptr<ImageSource>> OpenImageFolder(const std::string& directory, int64_t most_classes) {
  std::error_code error;
  std::vector<Entry> entries;
  std::string classes;
  int64_t count = 0;
  Sha256 hash;
  const std::vector<fs::path> folders = List(directory, &error);
  if (error) return DataMissing(directory + " cannot be read: " + error.message(), kFolderHint);
  for (const fs::path& folder : folders) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) continue;
    const size_t before = entries.size();
    const std::vector<fs::path> paths = List(folder, &error);
    if (error) return DataMissing(folder.string() + " cannot be read: " + error.message(), kFolderHint);
    for (const fs::path& path : paths) {
      if (!IsImage(path)) continue;
      entries.push_back({path, count});
      hash.Update(path.lexically_relative(directory).string() + ":" + std::to_string(fs::file_size(path, ignored)) +
                  ";");
    }
    if (entries.size() == before) continue;
    classes += (count == 0 ? "" : ", ") + folder.filename().string();
    ++count;
  }
  if (count == 0) return DataMissing("there are no JPEG or PNG images in directories of " + directory, kFolderHint);
  if (count == 1) return DataMissing(directory + " has images of one class only, " + classes, kFolderHint);
  if (count > most_classes) {
    return BadParameter(directory + " has images of " + std::to_string(count) + " classes (" + classes +
                        "), and the network tells " + std::to_string(most_classes) + " apart");
  }
  return std::unique_ptr<ImageSource>(std::make_unique<FolderSource>(std::move(entries), hash.HexDigest()));
}

}  // namespace fleetmark
