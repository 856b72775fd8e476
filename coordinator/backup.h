#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "common/status.h"

// A coordinator's store as one file that can be taken elsewhere, and back. What a restore does to agents: descent.h and
// adoption.h.
namespace fleetmark {

// Copies the store at `store`, which may be in use, as it is at one moment into the new file `copy`. Neither writers
// nor readers wait for it, and memory stays small. The copy was checked, and is marked so that no coordinator starts on
// it before it was restored. CANCELLED when `is_cancelled` says so; RESOURCE_EXHAUSTED (kind "disk_full") when `copy`
// does not fit. After a failure there is no `copy`.
Status BackUpStore(const std::filesystem::path& store, const std::filesystem::path& copy,
                   const std::function<bool()>& is_cancelled);

struct Restored {
  int runs = 0;
  int coordinator_epoch = 0;  // the next start's is one more
};
// Makes `backup` the store of `state_directory`, which must have none. It is checked, migrated and given an epoch above
// all that agents may have seen since: `unix_s` and `at_least_epoch` as EpochOfRestore takes them. Whole or not at all;
// `backup` stays as it is, and may be restored again. Also takes a store that was copied by other means.
StatusOr<Restored> RestoreStore(const std::filesystem::path& backup, const std::filesystem::path& state_directory,
                                double unix_s, int at_least_epoch = 0);

}  // namespace fleetmark
