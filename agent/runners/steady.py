"""common/warmup and common/bootstrap once more, line by line, so that both say the same of the same step times."""

import math
import statistics

BATCH, FEWEST_FOR_WARMUP = 5, 100
FEWEST_FOR_INTERVAL, REPLICATES, MOST_BLOCKS, SEED = 10, 1000, 128, 0x666C6565746D6172
NORMAL_975, ALL_BITS = 1.959963984540054, (1 << 64) - 1


def quantile(ordered, share):
    position = share * (len(ordered) - 1)
    below = int(position)
    if below + 1 >= len(ordered):
        return ordered[-1]
    return ordered[below] + (position - below) * (ordered[below + 1] - ordered[below])


def student_975(degrees_of_freedom):
    table = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
             2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042)
    if degrees_of_freedom <= len(table):
        return table[degrees_of_freedom - 1]
    z, n = NORMAL_975, degrees_of_freedom
    return z + (z ** 3 + z) / (4 * n) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * n * n)


def find_warmup(step_s):
    """How many to leave out, and whether the series is steady then (None: it cannot be told)."""
    if len(step_s) < FEWEST_FOR_WARMUP or not all(math.isfinite(value) and value > 0 for value in step_s):
        return 0, None
    batches = [statistics.fmean(step_s[i:i + BATCH]) for i in range(0, len(step_s) - BATCH + 1, BATCH)]
    half, best, least, mean, squares = len(batches) // 2, 0, math.inf, 0.0, 0.0
    for first in reversed(range(len(batches))):
        count, deviation = len(batches) - first, batches[first] - mean
        mean += deviation / count
        squares += deviation * (batches[first] - mean)
        if first <= half and squares / count ** 2 <= least:
            best, least = first, squares / count ** 2
    if best >= half:
        return 0, False
    is_slow = best > 0 and statistics.fmean(batches[:best]) > statistics.fmean(batches[best:])
    return (best * BATCH if is_slow else 0), True


def dependence(centred):
    """The sum of all autocovariances, and the one weighted by their lags."""
    n, known = len(centred), []
    most_lags = min(math.ceil(math.sqrt(n)) + 5, n - 1)

    def covariance(lag):
        while len(known) <= lag:
            known.append(math.fsum(map(float.__mul__, centred, centred[len(known):])) / n)
        return known[lag]

    threshold, last, lag = 2 * math.sqrt(math.log10(n) / n) * covariance(0), 0, 1
    while lag <= min(most_lags, last + 5):
        last = lag if abs(covariance(lag)) >= threshold else last
        lag += 1
    window = min(2 * last, most_lags)
    weighted = [2 * min(1.0, 2 * (1 - lag / window)) * covariance(lag) for lag in range(1, window + 1)]
    return covariance(0) + sum(weighted), sum(lag * value for lag, value in enumerate(weighted, 1))


def block_length(variance, by_lag, n):
    best = (1.5 * (by_lag / variance) ** 2 * n) ** (1 / 3) if variance else math.inf
    longest = math.floor(min(3 * math.sqrt(n), n / 3))
    return max(math.ceil(best), math.ceil(n / MOST_BLOCKS)) if best < longest else longest


def draws(bound):
    state = SEED
    while True:
        state = (state + 0x9E3779B97F4A7C15) & ALL_BITS
        bits = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & ALL_BITS
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & ALL_BITS
        yield (((bits ^ (bits >> 31)) >> 32) * bound) >> 32


def mean_interval(values):
    """The 95 % interval of the mean, low and high; None where it is not known."""
    n = len(values)
    if n < FEWEST_FOR_INTERVAL or not all(map(math.isfinite, values)):
        return None
    if min(values) == max(values):
        return values[0], values[0]
    mean = statistics.fmean(values)
    centred = [value - mean for value in values]
    variance, by_lag = dependence(centred)
    length = block_length(variance, by_lag, n)
    before = [0.0]
    for value in centred:
        before.append(before[-1] + value)
    sums = [end - begin for begin, end in zip(before, before[length:])]
    blocks, mean_sum, drawn = n // length, statistics.fmean(sums), draws(len(sums))
    means = sorted(sum(sums[next(drawn)] for _ in range(blocks)) / (blocks * length) for _ in range(REPLICATES))
    block_variance = statistics.fmean((value - mean_sum) ** 2 for value in sums) / length
    widening = 1.0
    if block_variance > 0:
        ends = max(0.0, by_lag) / (length * block_variance)
        widening = math.sqrt(blocks * length / (n - length) * (1 + ends)) * student_975(blocks - 1) / NORMAL_975
    return tuple(mean + widening * (quantile(means, share) - mean_sum / length) for share in (0.025, 0.975))
