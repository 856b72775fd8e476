#pragma once

#include <string>
#include <vector>

#include "coordinator/cli/report/board.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// Two published rows of one metric and what the one is against the other.
struct PublishedRatio {
  v1::Reference one;  // the GPU, or the framework that is the faster
  v1::Reference other;
  double times = 0;   // how many times as fast `one` is
  std::string claim;  // what the article says, "" where it says nothing
};

// Computed from the rows and from nothing else. A GPU is compared with the CPU of its own system, and where the article
// has only one GPU with every CPU; a framework with another on the same device. Rates that were derived from a
// published total are left out: they would say the same twice.
//
// The articles' own ratios come out as follows (docs/workloads.md has the table):
// 159x     cifar_resnet63, GTX 1080 against the Mac mini's CPU: mean wall_s of calls 3 and 4, 28.3825 / 0.1780 = 159.42
// 98.99 %  cifar_lenet, GTX 1080 against i7-7500U: 1 - 0.828756 / 82.470 = 98.995 % less time for an epoch
// 85 %     image_cnn_58m, RTX 2080 against Ryzen 2700X: 1 - 745.46 / 4787.47 = 84.43 % less time in all
std::vector<PublishedRatio> RecomputePublished(const std::vector<v1::Reference>& references);

// What stands behind a published number: "!" where it is flagged, "*" where it was computed from others.
std::string MarkOf(const v1::Reference& reference);

// The published numbers as they are, and the ratios recomputed from them.
void AddPublished(const ReportBoard& board, v1::ReportSection* section);

}  // namespace fleetmark
