#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fleetmark {

// Where step times changed for good.
struct ChangePoint {
  size_t sample = 0;  // the first after it
  double at_s = 0;    // sum of the times before it
  // Geometric mean of a step, lone odd ones aside, from the change point before it, or the beginning; and to the next
  // one, or the end.
  double before_s = 0;
  double after_s = 0;
};

// Changes of the mean of log step times, in order, each by 3 % or more. For a series of fewer than 50, or with a value
// that is no step time, none.
//
// PELT over at most 1,000 bins of equally many neighbours, in which a lone odd one (Hampel's filter: further than 4
// deviations from the median of the five around it) counts as that median. No stretch is shorter than 5 bins or a
// fiftieth of them. A change point costs 3 ln(bins) times the variance of the noise, so that noise alone has none in
// some 99 of 100 series. That is the long-run variance, since step times are autocorrelated and then wander farther
// than their scatter tells: of an autoregression of first order, seen in the differences of neighbours, which a change
// hardly touches.
std::vector<ChangePoint> FindChangePoints(std::span<const double> step_s);

// PELT (Killick, Fearnhead and Eckley, "Optimal detection of changepoints with a linear computational cost", Journal of
// the American Statistical Association 107, 2012) for changes of the mean: the first indices of the segments, without
// 0, of the segmentation that makes the sum of squared deviations from the segments' means, and `penalty` for each
// change, least. Exact. No segment is shorter than `shortest` > 0; none where there are fewer values than that.
std::vector<size_t> Pelt(std::span<const double> values, double penalty, size_t shortest);

}  // namespace fleetmark
