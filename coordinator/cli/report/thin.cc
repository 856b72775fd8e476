#include "coordinator/cli/report/thin.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace fleetmark {

Points Thin(const Points& points, int most) {
  const size_t count = points.x.size();
  if (count <= static_cast<size_t>(most)) return points;
  const size_t groups = static_cast<size_t>(std::max(1, most / 3));
  Points thinned;
  for (size_t group = 0; group < groups; ++group) {
    std::optional<size_t> least, greatest, unknown;
    for (size_t i = group * count / groups; i < (group + 1) * count / groups; ++i) {
      if (!std::isfinite(points.y[i])) {
        if (!unknown) unknown = i;
        continue;
      }
      if (!least || points.y[i] < points.y[*least]) least = i;
      if (!greatest || points.y[i] > points.y[*greatest]) greatest = i;
    }
    std::set<size_t> kept;
    for (const std::optional<size_t>& index : {least, greatest, unknown}) {
      if (index) kept.insert(*index);
    }
    for (const size_t index : kept) {
      thinned.x.push_back(points.x[index]);
      thinned.y.push_back(points.y[index]);
    }
  }
  return thinned;
}

}  // namespace fleetmark
