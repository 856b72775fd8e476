#include "coordinator/cli/verb.h"

namespace fleetmark {

#define FLEETMARK_VERB(name, Name) std::unique_ptr<Verb> Make##Name();
#include "coordinator/cli/verbs.def"
#undef FLEETMARK_VERB

std::vector<NamedVerb> MakeVerbs() {
  std::vector<NamedVerb> verbs;
#define FLEETMARK_VERB(name, Name) verbs.push_back({#name, Make##Name()});
#include "coordinator/cli/verbs.def"
#undef FLEETMARK_VERB
  return verbs;
}

}  // namespace fleetmark
