#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/files.h"
#include "common/sha256.h"
#include "coordinator/cli/client.h"
#include "coordinator/cli/console.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/signals.h"
#include "coordinator/cli/verb.h"
#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {
namespace {

// FILE, there whole and on the disk or not at all: written as FILE.part, of which nothing is left behind.
class BackupFile {
 public:
  BackupFile(std::string path, bool may_replace)
      : path_(std::move(path)), partial_(path_ + ".part"), may_replace_(may_replace) {}
  ~BackupFile() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    unlink(partial_.c_str());
  }
  BackupFile(const BackupFile&) = delete;
  BackupFile& operator=(const BackupFile&) = delete;

  Status Create() {
    std::error_code ignored;
    if (!may_replace_ && std::filesystem::exists(path_, ignored)) return Exists();
    descriptor_ = open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return descriptor_ < 0 ? Cannot(errno) : OkStatus();
  }

  Status Write(std::string_view data) {
    hash_.Update(data);
    bytes_ += static_cast<double>(data.size());
    while (!data.empty()) {
      const ssize_t written = write(descriptor_, data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Cannot(errno);
      data.remove_prefix(static_cast<size_t>(written));
    }
    return OkStatus();
  }

  double bytes() const { return bytes_; }

  // `sha256` is of all that was sent.
  Status Commit(const std::string& sha256) {
    if (sha256 != hash_.HexDigest()) {
      return DataLoss("what arrived is not what the coordinator sent; there is no backup", "try again");
    }
    if (fsync(descriptor_) != 0) return Cannot(errno);
    FLEETMARK_RETURN_IF_ERROR(Name());
    close(std::exchange(descriptor_, -1));
    const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
    return SyncDirectory(parent.empty() ? "." : parent);
  }

 private:
  Status Name() {
    const unsigned flags = may_replace_ ? 0 : RENAME_NOREPLACE;
    if (renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), flags) == 0) return OkStatus();
    if (errno == EEXIST) return Exists();
    // Not every file system can promise that; whether FILE was there was asked before.
    if (errno == EINVAL && rename(partial_.c_str(), path_.c_str()) == 0) return OkStatus();
    return Cannot(errno);
  }
  Status Exists() const {
    return AlreadyExists("there is a file " + path_ + " already", "name another, or replace it with --force");
  }
  Status Cannot(int error) const {
    return InvalidArgument("cannot write " + path_ + ": " + std::strerror(error), "name another file");
  }

  const std::string path_;
  const std::string partial_;
  const bool may_replace_;
  int descriptor_ = -1;
  double bytes_ = 0;
  Sha256 hash_;
};

class BackupVerb : public Verb {
 public:
  VerbHelp Help() const override {
    return {"Copy the coordinator's store into a file while it runs",
            "The file has all that was stored at that moment. Bring it back with fleetmark-coordinator restore.",
            "fleetmark backup fleetmark-monday.db",
            {ExitCode::kInterrupted}};
  }

  void Declare(CLI::App* app) override {
    app->add_option("file", path_, "The file to make, on this machine")->required()->type_name("FILE");
    app->add_flag("--force", force_, "Replace FILE if it is there");
  }

  StatusOr<ExitCode> Run(Session& session) override {
    BackupFile file(path_, force_);
    FLEETMARK_RETURN_IF_ERROR(file.Create());
    v1::BackupDocument document;
    FLEETMARK_RETURN_IF_ERROR(Fetch(session, file, document.mutable_sha256()));
    FLEETMARK_RETURN_IF_ERROR(file.Commit(document.sha256()));
    document.set_output(path_);
    document.set_bytes(file.bytes());
    if (session.console.json()) {
      session.console.PrintDocument(document);
    } else {
      session.console.out() << "wrote " << FormatBytes(file.bytes()) << " to " << path_ << "\n";
    }
    return ExitCode::kDone;
  }

 private:
  // Ctrl-C ends the stream, and with it the coordinator's part of the work.
  static Status Fetch(Session& session, BackupFile& file, std::string* sha256) {
    grpc::ClientContext context;
    std::atomic<bool> is_interrupted = false;
    if (session.signals != nullptr) {
      const auto interrupt = [&] {
        is_interrupted = true;
        context.TryCancel();
      };
      session.signals->SetHandlers(interrupt, nullptr);
    }
    const Status status = session.client.Stream<v1::BackupRequest, v1::Chunk>(
        &Client::Stub::Backup, v1::BackupRequest(), &context, [&](const v1::Chunk& chunk) {
          if (!chunk.sha256().empty()) *sha256 = chunk.sha256();
          return file.Write(chunk.data());
        });
    if (session.signals != nullptr) session.signals->ClearHandlers();
    if (is_interrupted) {
      return Status(StatusCode::kCancelled, "interrupted; there is no backup", "", kInterruptedKind);
    }
    return status;
  }

  std::string path_;
  bool force_ = false;
};

}  // namespace

std::unique_ptr<Verb> MakeBackup() { return std::make_unique<BackupVerb>(); }

}  // namespace fleetmark
