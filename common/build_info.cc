#include "common/build_info.h"

#include "build_info_values.h"

namespace fleetmark {

const BuildInfo& GetBuildInfo() {
  static const BuildInfo info{FLEETMARK_VERSION, FLEETMARK_GIT_REVISION, FLEETMARK_BUILD_TYPE, FLEETMARK_COMPILER};
  return info;
}

}  // namespace fleetmark
