// step_statistics < step times, a line of numbers each: prints for each line what common/ says of it, as JSON. The
// runners in Python are held to that.
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "common/bootstrap.h"
#include "common/warmup.h"

int main() {
  std::cout << std::setprecision(17);
  for (std::string line; std::getline(std::cin, line);) {
    std::vector<double> step_s;
    std::istringstream words(line);
    for (std::string word; words >> word;) step_s.push_back(std::stod(word));
    const fleetmark::Warmup warmup = fleetmark::FindWarmup(step_s);
    const fleetmark::Interval interval = fleetmark::MeanInterval(step_s);
    std::cout << "{\"warmup\": " << warmup.samples << ", \"is_steady\": "
              << (!warmup.is_steady   ? "null"
                  : *warmup.is_steady ? "true"
                                      : "false")
              << ", \"interval\": ";
    if (interval.known) {
      std::cout << "[" << interval.low << ", " << interval.high << "]}\n";
    } else {
      std::cout << "null}\n";
    }
  }
  return 0;
}
