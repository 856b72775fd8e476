#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/journal_check.h"
#include "tests/fuzz/scratch_directory.h"

namespace fleetmark::fuzz {

// Any bytes as the journal's file.
void Fuzz_journal_file(std::string_view input) {
  static const ScratchDirectory directory;
  directory.RemoveContents();
  directory.Write("journal.db", input);
  CheckJournal(directory.path());
}

}  // namespace fleetmark::fuzz
