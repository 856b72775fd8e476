// The floor of tensor_add's variant `inplace`: z += z as a plain loop over memory of the same size.
//   tensor_add_loop N WARMUP STEPS
// prints the seconds of each step after the warm-up, one a line. OMP_NUM_THREADS is the number of threads.
#include <sys/mman.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: tensor_add_loop N WARMUP STEPS\n");
    return 2;
  }
  const long n = std::atol(argv[1]), count = n * n;
  const int warmup = std::atoi(argv[2]), steps = std::atoi(argv[3]);
  constexpr std::size_t kAlignment = 2 << 20;  // of a large page
  const std::unique_ptr<float, decltype(&std::free)> memory(
      static_cast<float*>(std::aligned_alloc(kAlignment, static_cast<std::size_t>(count) * sizeof(float))), &std::free);
  float* const z = memory.get();
  if (z == nullptr) {
    std::perror("tensor_add_loop");
    return 1;
  }
  madvise(z, static_cast<std::size_t>(count) * sizeof(float), MADV_HUGEPAGE);  // as the worker's memory
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < count; ++i) z[i] = 1;
  std::vector<double> seconds;
  for (int step = 0; step < warmup + steps; ++step) {
    const auto started = std::chrono::steady_clock::now();
#pragma omp parallel for simd schedule(static)
    for (long i = 0; i < count; ++i) z[i] += z[i];
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  }
  for (int step = warmup; step < warmup + steps; ++step) {
    std::printf("%.9f\n", seconds[static_cast<std::size_t>(step)]);
  }
  return 0;
}
