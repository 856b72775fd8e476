#include "tests/fakes/power_cut_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <set>

namespace fleetmark {

struct PowerCutMachine::Shared {
  struct Owner {};
  std::map<const void*, int> locks;  // of the file, by connection
  std::vector<std::unique_ptr<std::array<std::byte, 32 << 10>>> regions;
  std::array<std::set<const void*>, SQLITE_SHM_NLOCK> readers;
  std::array<const void*, SQLITE_SHM_NLOCK> writers = {};
};

namespace {

using Step = PowerCutDisk::Step;

constexpr char kRoot[] = "/power-cut/";
// One lock for all machines: a test has few threads, and they do not wait for a disk.
std::recursive_mutex mutex;
std::map<std::string, PowerCutMachine*> machines;  // by the first word behind kRoot
sqlite3_vfs* system_vfs = nullptr;

struct OpenFile {
  sqlite3_file base;
  PowerCutMachine* machine;
  std::string* name;
  bool syncs_directory;  // with its first sync: a new log's name has to last
  bool removes_at_close;
};

OpenFile& Of(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }

// The machine of a path, and the file's name there.
PowerCutMachine* MachineOf(const char* path, std::string* name) {
  if (path == nullptr || std::strncmp(path, kRoot, sizeof(kRoot) - 1) != 0) return nullptr;
  const std::string rest = path + sizeof(kRoot) - 1;
  const size_t slash = rest.find('/');
  *name = rest.substr(slash + 1);
  return machines.at(rest.substr(0, slash));
}

int Close(sqlite3_file* file) {
  const std::lock_guard lock(mutex);
  OpenFile& open = Of(file);
  open.machine->SharedOf(*open.name).locks.erase(file);
  if (open.removes_at_close) open.machine->Do({Step::Kind::kRemove, *open.name});
  delete open.name;
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  const std::lock_guard lock(mutex);
  const auto& fail = Of(file).machine->fail_read;
  if (const int error = fail ? fail(static_cast<uint64_t>(offset)) : SQLITE_OK; error != SQLITE_OK) return error;
  const std::string& contents = Of(file).machine->disk().Contents(*Of(file).name);
  const size_t begin = std::min(static_cast<size_t>(offset), contents.size());
  const size_t there = std::min(static_cast<size_t>(size), contents.size() - begin);
  std::memcpy(buffer, contents.data() + begin, there);
  std::memset(static_cast<char*>(buffer) + there, 0, static_cast<size_t>(size) - there);
  return there == static_cast<size_t>(size) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset) {
  const std::lock_guard lock(mutex);
  return Of(file).machine->Do({Step::Kind::kWrite, *Of(file).name, static_cast<uint64_t>(offset),
                               std::string(static_cast<const char*>(buffer), static_cast<size_t>(size))});
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::lock_guard lock(mutex);
  return Of(file).machine->Do({Step::Kind::kTruncate, *Of(file).name, static_cast<uint64_t>(size)});
}

int Sync(sqlite3_file* file, int) {
  const std::lock_guard lock(mutex);
  OpenFile& open = Of(file);
  const int result = open.machine->Do({Step::Kind::kSyncFile, *open.name});
  if (result != SQLITE_OK || !open.syncs_directory) return result;
  open.syncs_directory = false;
  return open.machine->Do({Step::Kind::kSyncDirectory, ""});
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  const std::lock_guard lock(mutex);
  *size = static_cast<sqlite3_int64>(Of(file).machine->disk().Contents(*Of(file).name).size());
  return SQLITE_OK;
}

int Lock(sqlite3_file* file, int level) {
  const std::lock_guard lock(mutex);
  auto& locks = Of(file).machine->SharedOf(*Of(file).name).locks;
  for (const auto& [owner, held] : locks) {
    if (owner == file) continue;
    if (held >= SQLITE_LOCK_PENDING || (level == SQLITE_LOCK_EXCLUSIVE && held >= SQLITE_LOCK_SHARED) ||
        (level >= SQLITE_LOCK_RESERVED && held >= SQLITE_LOCK_RESERVED)) {
      return SQLITE_BUSY;
    }
  }
  locks[file] = std::max(locks[file], level);
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int level) {
  const std::lock_guard lock(mutex);
  Of(file).machine->SharedOf(*Of(file).name).locks[file] = level;
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file* file, int* is_reserved) {
  const std::lock_guard lock(mutex);
  const auto& locks = Of(file).machine->SharedOf(*Of(file).name).locks;
  *is_reserved =
      std::any_of(locks.begin(), locks.end(), [](const auto& entry) { return entry.second >= SQLITE_LOCK_RESERVED; });
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 4096; }
// As SQLite's own VFS says of Linux: what stands beside a write is not harmed by it.
int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int ShmMap(sqlite3_file* file, int region, int size, int is_extending, void volatile** memory) {
  const std::lock_guard lock(mutex);
  auto& regions = Of(file).machine->SharedOf(*Of(file).name).regions;
  *memory = nullptr;
  if (size != static_cast<int>(sizeof(*regions.front()))) return SQLITE_IOERR_SHMSIZE;
  while (static_cast<int>(regions.size()) <= region) {
    if (!is_extending) return SQLITE_OK;
    regions.push_back(std::make_unique<std::array<std::byte, 32 << 10>>());
  }
  *memory = regions[static_cast<size_t>(region)]->data();
  return SQLITE_OK;
}

int ShmLock(sqlite3_file* file, int first, int count, int flags) {
  const std::lock_guard lock(mutex);
  PowerCutMachine::Shared& shared = Of(file).machine->SharedOf(*Of(file).name);
  for (int slot = first; slot < first + count; ++slot) {
    const auto i = static_cast<size_t>(slot);
    std::set<const void*> others = shared.readers[i];
    others.erase(file);
    const bool is_written = shared.writers[i] != nullptr && shared.writers[i] != file;
    const bool is_exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if ((flags & SQLITE_SHM_LOCK) != 0 && (is_written || (is_exclusive && !others.empty()))) return SQLITE_BUSY;
  }
  for (int slot = first; slot < first + count; ++slot) {
    const auto i = static_cast<size_t>(slot);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
      shared.readers[i].erase(file);
      if (shared.writers[i] == file) shared.writers[i] = nullptr;
    } else if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) {
      shared.writers[i] = file;
    } else {
      shared.readers[i].insert(file);
    }
  }
  return SQLITE_OK;
}

void ShmBarrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int ShmUnmap(sqlite3_file* file, int is_deleting) {
  const std::lock_guard lock(mutex);
  PowerCutMachine::Shared& shared = Of(file).machine->SharedOf(*Of(file).name);
  for (auto& readers : shared.readers) readers.erase(file);
  if (is_deleting) shared.regions.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

int Open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  const std::lock_guard lock(mutex);
  std::string name;
  PowerCutMachine* machine = MachineOf(path, &name);
  if (machine == nullptr) return system_vfs->xOpen(system_vfs, path, file, flags, flags_out);
  file->pMethods = nullptr;
  const bool is_new = !machine->disk().Exists(name);
  if (is_new) {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    if (const int result = machine->Do({Step::Kind::kCreate, name}); result != SQLITE_OK) return SQLITE_CANTOPEN;
  }
  const int logs = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  Of(file) = {{&kMethods},
              machine,
              new std::string(name),
              is_new && (flags & logs) != 0,
              (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* path, int syncs_directory) {
  const std::lock_guard lock(mutex);
  std::string name;
  PowerCutMachine* machine = MachineOf(path, &name);
  if (machine == nullptr) return system_vfs->xDelete(system_vfs, path, syncs_directory);
  if (!machine->disk().Exists(name)) return SQLITE_IOERR_DELETE_NOENT;
  if (machine->Do({Step::Kind::kRemove, name}) != SQLITE_OK) return SQLITE_IOERR_DELETE;
  return syncs_directory ? machine->Do({Step::Kind::kSyncDirectory, ""}) : SQLITE_OK;
}

int Access(sqlite3_vfs*, const char* path, int flags, int* result) {
  const std::lock_guard lock(mutex);
  std::string name;
  const PowerCutMachine* machine = MachineOf(path, &name);
  if (machine == nullptr) return system_vfs->xAccess(system_vfs, path, flags, result);
  *result = const_cast<PowerCutMachine*>(machine)->disk().Exists(name);
  return SQLITE_OK;
}

int FullPathname(sqlite3_vfs*, const char* path, int size, char* out) {
  if (std::strncmp(path, kRoot, sizeof(kRoot) - 1) != 0) return system_vfs->xFullPathname(system_vfs, path, size, out);
  sqlite3_snprintf(size, out, "%s", path);
  return SQLITE_OK;
}

void RegisterOnce() {
  if (system_vfs != nullptr) return;
  system_vfs = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs vfs = *system_vfs;  // time, random bytes and errors are the system's
  vfs.zName = "power_cut";
  vfs.szOsFile = std::max(system_vfs->szOsFile, static_cast<int>(sizeof(OpenFile)));
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  sqlite3_vfs_register(&vfs, 1);
}

}  // namespace

PowerCutMachine::PowerCutMachine(PowerCutDisk disk) : disk_(std::move(disk)) {
  static std::atomic<int> made = 0;
  const std::lock_guard lock(mutex);
  RegisterOnce();
  const std::string word = std::to_string(++made);
  root_ = kRoot + word;
  machines[word] = this;
}

PowerCutMachine::~PowerCutMachine() {
  const std::lock_guard lock(mutex);
  machines.erase(root_.filename());
}

PowerCutMachine::Shared& PowerCutMachine::SharedOf(const std::string& name) {
  std::unique_ptr<Shared>& shared = shared_[name];
  if (shared == nullptr) shared = std::make_unique<Shared>();
  return *shared;
}

int PowerCutMachine::Do(const PowerCutDisk::Step& step) {
  const bool is_sync = step.kind == Step::Kind::kSyncFile || step.kind == Step::Kind::kSyncDirectory;
  if (const int error = fail ? fail(step) : SQLITE_OK; error != SQLITE_OK) {
    if (step.kind == Step::Kind::kWrite && error == SQLITE_FULL) {
      disk_.Apply({step.kind, step.name, step.offset, step.data.substr(0, step.data.size() / 2)});
    }
    if (step.kind == Step::Kind::kSyncFile) disk_.FailToSync(step.name);
    return error;
  }
  if (!(is_sync && ignores_syncs)) disk_.Apply(step);
  return SQLITE_OK;
}

}  // namespace fleetmark
