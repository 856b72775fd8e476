#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/status.h"

namespace fleetmark {

// An array of unsigned bytes in the IDX format of MNIST: magic 0, 0, type 8, rank; then each extent as a big-endian
// 32-bit number; then the elements, the last index running fastest.
struct IdxArray {
  std::vector<int64_t> shape;
  std::string elements;
  std::string sha256;  // of the file, unpacked
};

// Reads `path`, plain or gzip. Fails with "data_corrupt", naming the file and what is wrong with it, when it is not an
// IDX file of bytes of this rank or is not as long as its header says, and with "data_missing" when it cannot be read.
StatusOr<IdxArray> ReadIdx(const std::filesystem::path& path, size_t rank);

// Whether .gz files can be read: zlib was there when this was built.
bool CanReadGzip();

}  // namespace fleetmark
