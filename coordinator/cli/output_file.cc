#include "coordinator/cli/output_file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace fleetmark {

OutputFile::OutputFile(const std::string& path)
    : path_(path), partial_(path + ".part"), stream_(partial_, std::ios::binary | std::ios::trunc) {}

OutputFile::~OutputFile() {
  if (is_done_) return;
  stream_.close();
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  std::unique_ptr<OutputFile> file(new OutputFile(path));
  if (const Status status = file->Check(); !status.ok()) {
    file->is_done_ = true;  // what it could not open is not its own
    return status;
  }
  return file;
}

Status OutputFile::Cannot(const std::string& why) const {
  return InvalidArgument("cannot write " + path_ + ": " + why, "choose another file with --output");
}

Status OutputFile::Check() const { return stream_ ? OkStatus() : Cannot(std::generic_category().message(errno)); }

Status OutputFile::Commit() {
  stream_.close();
  FLEETMARK_RETURN_IF_ERROR(Check());
  std::error_code error;
  std::filesystem::rename(partial_, path_, error);
  if (error) return Cannot(error.message());
  is_done_ = true;
  return OkStatus();
}

}  // namespace fleetmark
