#include "common/vocabulary.h"

#include <algorithm>

#include "common/suggest.h"

namespace fleetmark {

bool IsFlagged(const std::string& verdict) { return !verdict.empty() && verdict != "OK" && verdict != "UNCHECKED"; }

Status CheckWord(const std::string& what, const std::string& word, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), word) != known.end()) return OkStatus();
  return InvalidArgument("there is no " + what + " \"" + word + "\"", SuggestFrom(word, known), "bad_parameter");
}

}  // namespace fleetmark
