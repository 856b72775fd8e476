#include "agent/worker/runtime_info.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <filesystem>
#include <regex>

#include "agent/worker/failure.h"
#include "agent/worker/torch_headers.h"
#include "common/host_info.h"

namespace fleetmark {
namespace {

// The first group of `pattern` in `text`; "" without a match.
std::string Find(const std::string& text, const char* pattern) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : "";
}

// The file that the BLAS routine sgemm is loaded from, links resolved; "" when LibTorch brings its own and hides it.
std::string BlasFile() {
  Dl_info where{};
  void* sgemm = dlsym(RTLD_DEFAULT, "sgemm_");
  if (sgemm == nullptr || dladdr(sgemm, &where) == 0 || where.dli_fname == nullptr) return "";
  std::error_code error;
  const std::filesystem::path resolved = std::filesystem::canonical(where.dli_fname, error);
  return error ? where.dli_fname : resolved.string();
}

// Debian keeps the reference implementation in a directory "blas", the others in ones named after them.
bool IsReferenceBlas(const std::string& file) {
  return std::filesystem::path(file).parent_path().filename() == "blas" || file.find("librefblas") != std::string::npos;
}

}  // namespace

std::string RuntimeVersion() {
  return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
         std::to_string(TORCH_VERSION_PATCH);
}

std::map<std::string, std::string> LibraryVersions() {
  const std::string config = at::show_config();
  std::map<std::string, std::string> versions = {
      {"mkl", Find(config, "Math Kernel Library Version ([0-9.]+)")},
      {"onednn", Find(config, "(?:MKL-DNN|oneDNN) v([0-9.]+)")},
      {"openmp", Find(config, "OpenMP ([0-9]+)")},
      {"cpu_capability", Find(config, "CPU capability usage: (\\S+)")},
      {"cuda", Find(config, "CUDA Runtime ([0-9.]+)")},
      {"cudnn", Find(config, "CuDNN ([0-9.]+)")},
  };
  const std::string blas = BlasFile();
  versions["blas"] = blas.empty() || blas.find("libtorch") != std::string::npos
                         ? (versions["mkl"].empty() ? "" : "mkl")
                         : std::filesystem::path(blas).parent_path().filename().string() + "/" +
                               std::filesystem::path(blas).filename().string();
  std::erase_if(versions, [](const auto& entry) { return entry.second.empty(); });
  return versions;
}

Status CheckBlas() {
  const std::string file = BlasFile();
  if (!IsReferenceBlas(file)) return OkStatus();
  return Unsupported("LibTorch would use the reference BLAS " + file + ", tens of times slower than this machine",
                     "apt-get install libopenblas0-openmp");
}

int SetThreads(int threads) {
  at::set_num_threads(threads > 0 ? threads : ReadHostInfo().physical_cores);
  return at::get_num_threads();
}

}  // namespace fleetmark
