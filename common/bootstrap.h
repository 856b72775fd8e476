#pragma once

#include <cstddef>
#include <span>

#include "common/statistics.h"

namespace fleetmark {

// Of fewer values no interval is made up: the dependence between them cannot be seen any more, and that they are
// independent would have to be believed.
inline constexpr size_t kFewestForInterval = 10;

// 95 % interval of the mean of a stationary series that may be autocorrelated, as step times are, by moving-block
// bootstrap (Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17,
// 1989): 1,000 series of as many values are put together of blocks of the series, drawn with a seed that is fixed, so
// that the same values always give the same interval, on every machine.
//
// The percentiles of their means, by themselves too close together, are moved away from the mean of the series by what
// is known of that:
// - n / (n - b): blocks of b values scatter around the mean of the same series and not around the truth;
// - 1 + G / (b V): where a block ends, so does the dependence within it; G and V as in BlockLength;
// - Student's t for n / b - 1 degrees of freedom over the normal quantile: their scatter is estimated from few blocks.
// With these 93 to 97 % of such intervals hold the truth, where there are 20 blocks or more; a test holds it to that.
//
// Not known for fewer than kFewestForInterval values, and where one is not finite. Of no width where all are equal.
// 100,000 values take some milliseconds.
Interval MeanInterval(std::span<const double> values);

// The length of blocks that estimates the variance of the mean best, (2 G^2 / D)^(1/3) n^(1/3) by Politis and White
// ("Automatic block-length selection for the dependent bootstrap", Econometric Reviews 23, 2004) with the correction of
// Patton, Politis and White (Econometric Reviews 28, 2009): D = 4/3 V^2, V the sum of all autocovariances and G the one
// weighted by their lags, both with a flat-top window. At most the least of 3 sqrt(n) and n / 3. At least n / 128,
// which their method does not ask for: more blocks would cost time and buy next to nothing, since Student's t for 127
// degrees of freedom is within 1 % of the normal quantile. `values`: at least kFewestForInterval, all finite.
size_t BlockLength(std::span<const double> values);

}  // namespace fleetmark
