#pragma once

#include <filesystem>

namespace fleetmark::fuzz {

// Opens DIRECTORY/journal.db as an agent does at its start and takes up what it holds: it opens, or is moved aside, or
// is refused because a newer Fleetmark wrote it.
void CheckJournal(const std::filesystem::path& directory);

}  // namespace fleetmark::fuzz
