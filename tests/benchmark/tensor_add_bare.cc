// The peer of tensor_add's variant `inplace`: the same loop in a plain LibTorch program, without Fleetmark.
//   tensor_add_bare N SECONDS THREADS
// prints the iterations a second after a warm-up of 5.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: tensor_add_bare N SECONDS THREADS\n");
    return 2;
  }
  const long n = std::atol(argv[1]);
  const double seconds = std::atof(argv[2]);
  at::set_num_threads(std::atoi(argv[3]));
  at::Tensor z = at::ones({n, n});
  for (int i = 0; i < 5; ++i) z.add_(z);
  const auto started = std::chrono::steady_clock::now();
  long steps = 0;
  double elapsed = 0;
  while (elapsed < seconds) {
    z.add_(z);
    ++steps;
    elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  }
  std::printf("%.6f\n", static_cast<double>(steps) / elapsed);
  return 0;
}
