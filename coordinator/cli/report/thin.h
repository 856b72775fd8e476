#pragma once

#include <vector>

namespace fleetmark {

struct Points {
  std::vector<double> x;  // ascending
  std::vector<double> y;  // NaN: not known
};

// At most `most` (at least 3) of the points, such that a picture of them looks the same: neighbours are taken together
// and the least and the greatest of them kept, and one unknown value where there are any, so that no peak and no gap
// goes.
Points Thin(const Points& points, int most);

}  // namespace fleetmark
