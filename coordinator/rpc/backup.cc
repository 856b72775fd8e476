#include "coordinator/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/sha256.h"
#include "coordinator/rpc/handlers.h"

namespace fleetmark {
namespace {

constexpr size_t kBackupChunkBytes = 256 << 10;

// A copy beside the store, of which nothing is left when this ends; one that was killed is removed at the next start
// (Coordinator::Start), since it is always the same file.
class CopyOfStore {
 public:
  explicit CopyOfStore(std::filesystem::path path) : path_(std::move(path)) {}
  ~CopyOfStore() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  CopyOfStore(const CopyOfStore&) = delete;
  CopyOfStore& operator=(const CopyOfStore&) = delete;

  Status Make(const std::filesystem::path& store, const IsCancelled& is_cancelled) {
    std::filesystem::remove(path_);
    FLEETMARK_RETURN_IF_ERROR(BackUpStore(store, path_, is_cancelled));
    descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const int error = errno;
    unlink(path_.c_str());
    if (descriptor_ < 0) return Internal("cannot read " + path_.string() + ": " + std::strerror(error));
    struct stat info {};
    fstat(descriptor_, &info);
    bytes_ = static_cast<double>(info.st_size);
    return OkStatus();
  }

  double bytes() const { return bytes_; }
  // "" at the end.
  StatusOr<std::string> Read() {
    std::string data(kBackupChunkBytes, '\0');
    const ssize_t size = read(descriptor_, data.data(), data.size());
    if (size < 0) return Internal("cannot read " + path_.string() + ": " + std::strerror(errno));
    data.resize(static_cast<size_t>(size));
    return data;
  }

 private:
  const std::filesystem::path path_;
  int descriptor_ = -1;
  double bytes_ = 0;
};

Status CheckSpace(const Coordinator& coordinator) {
  const std::filesystem::path store = coordinator.store_path();
  double needed = coordinator.min_free_bytes();
  for (const char* part : {"", "-wal"}) {
    std::error_code ignored;
    if (const auto size = std::filesystem::file_size(store.string() + part, ignored); size != std::uintmax_t(-1)) {
      needed += static_cast<double>(size);
    }
  }
  FLEETMARK_ASSIGN_OR_RETURN(const double free_bytes, FreeBytes(store.parent_path()));
  if (free_bytes >= needed) return OkStatus();
  return ResourceExhausted(
      "the coordinator's disk has no room for the copy that is sent: " + std::to_string(free_bytes / 1e6) +
          " MB are free for " + store.parent_path().string() + ", " + std::to_string(needed / 1e6) + " MB are needed",
      "free some space there", "disk_full");
}

}  // namespace

Status Backup(Coordinator& coordinator, const v1::BackupRequest&, const IsCancelled& is_cancelled,
              const Send<v1::Chunk>& send) {
  const std::unique_lock turn(coordinator.backup_turn(), std::try_to_lock);
  if (!turn.owns_lock()) return ResourceExhausted("another backup is under way", "try again when it is done", "busy");
  FLEETMARK_RETURN_IF_ERROR(CheckSpace(coordinator));
  CopyOfStore copy(coordinator.store_path().string() + ".backup");
  FLEETMARK_RETURN_IF_ERROR(copy.Make(coordinator.store_path(), is_cancelled));
  Sha256 hash;
  v1::Chunk chunk;
  chunk.set_total_bytes(copy.bytes());
  for (double offset = 0;; offset += static_cast<double>(chunk.data().size())) {
    FLEETMARK_ASSIGN_OR_RETURN(*chunk.mutable_data(), copy.Read());
    chunk.set_offset(offset);
    hash.Update(chunk.data());
    if (chunk.data().empty()) chunk.set_sha256(hash.HexDigest());
    if (!send(chunk) || chunk.data().empty()) return OkStatus();
  }
}

}  // namespace fleetmark
