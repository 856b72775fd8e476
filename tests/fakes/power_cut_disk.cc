#include "tests/fakes/power_cut_disk.h"

#include <algorithm>
#include <utility>

namespace fleetmark {
namespace {

uint64_t Below(uint64_t limit, std::mt19937_64& random) { return limit == 0 ? 0 : random() % limit; }

}  // namespace

PowerCutDisk::PowerCutDisk(const Image& image) {
  for (const auto& [name, contents] : image) {
    names_[name] = std::make_shared<Inode>(Inode{contents, contents, {}});
  }
  durable_names_ = names_;
}

const std::string& PowerCutDisk::Contents(const std::string& name) const { return names_.at(name)->current; }

void PowerCutDisk::ApplyTo(std::string* contents, const Step& step) {
  if (step.kind == Step::Kind::kTruncate) {
    contents->resize(step.offset);
  } else {
    contents->resize(std::max<size_t>(contents->size(), step.offset + step.data.size()));
    contents->replace(step.offset, step.data.size(), step.data);
  }
}

void PowerCutDisk::Apply(const Step& step) {
  history_.push_back(step);
  switch (step.kind) {
    case Step::Kind::kCreate:
      names_[step.name] = std::make_shared<Inode>();
      unsynced_names_.push_back({step.name, names_[step.name]});
      break;
    case Step::Kind::kRemove:
      names_.erase(step.name);
      unsynced_names_.push_back({step.name, nullptr});
      break;
    case Step::Kind::kWrite:
    case Step::Kind::kTruncate: {
      Inode& inode = *names_.at(step.name);
      ApplyTo(&inode.current, step);
      inode.unsynced.push_back(step);
      break;
    }
    case Step::Kind::kSyncFile: {
      Inode& inode = *names_.at(step.name);
      for (const Step& done : inode.unsynced) ApplyTo(&inode.durable, done);
      inode.unsynced.clear();
      break;
    }
    case Step::Kind::kSyncDirectory:
      durable_names_ = names_;
      unsynced_names_.clear();
      break;
    case Step::Kind::kMark:
      mark_ = step.offset;
      break;
  }
}

void PowerCutDisk::FailToSync(const std::string& name) { names_.at(name)->unsynced.clear(); }

// Part of a write: each sector for itself, or the first bytes of it.
void PowerCutDisk::Tear(std::string* contents, const Step& step, Fate fate, std::mt19937_64& random) {
  if (step.kind == Step::Kind::kTruncate) {
    if (Below(2, random) == 0) ApplyTo(contents, step);
    return;
  }
  if (fate == Fate::kInOrder) {
    const size_t size = Below(step.data.size() + 1, random);
    return ApplyTo(contents, {step.kind, step.name, step.offset, step.data.substr(0, size)});
  }
  const uint64_t sector = Below(2, random) == 0 ? 512 : 4096;
  for (uint64_t begin = step.offset; begin < step.offset + step.data.size();) {
    const uint64_t end = std::min((begin / sector + 1) * sector, step.offset + step.data.size());
    std::string part = step.data.substr(begin - step.offset, end - begin);
    const uint64_t luck = Below(8, random);
    if (luck == 0) part.resize(Below(part.size(), random));
    if (luck == 1) std::generate(part.begin(), part.end(), [&] { return static_cast<char>(random()); });
    if (luck < 5) ApplyTo(contents, {step.kind, step.name, begin, part});
    begin = end;
  }
}

std::string PowerCutDisk::Survive(const Inode& inode, Fate fate, std::mt19937_64& random) {
  if (fate == Fate::kLost) return inode.durable;
  if (fate == Fate::kKept) return inode.current;
  std::string contents = inode.durable;
  const size_t whole = fate == Fate::kInOrder && !inode.unsynced.empty() ? Below(inode.unsynced.size(), random) : 0;
  for (size_t i = 0; i < inode.unsynced.size(); ++i) {
    if (i < whole) {
      ApplyTo(&contents, inode.unsynced[i]);
    } else if (i == whole || fate == Fate::kAnyOrder) {
      Tear(&contents, inode.unsynced[i], fate, random);
    }
  }
  return contents;
}

PowerCutDisk::Image PowerCutDisk::Cut(Fate fate, std::mt19937_64& random) const {
  Names names = durable_names_;
  size_t left = fate == Fate::kLost ? 0 : unsynced_names_.size();
  if (fate == Fate::kInOrder) left = Below(left + 1, random);
  for (size_t i = 0; i < left; ++i) {
    if (fate == Fate::kAnyOrder && Below(2, random) == 0) continue;
    if (unsynced_names_[i].inode == nullptr) {
      names.erase(unsynced_names_[i].name);
    } else {
      names[unsynced_names_[i].name] = unsynced_names_[i].inode;
    }
  }
  Image image;
  for (const auto& [name, inode] : names) image[name] = Survive(*inode, fate, random);
  return image;
}

void PowerCutDisk::Replay(const std::vector<Step>& history,
                          const std::function<void(const PowerCutDisk&, const Step&)>& look) {
  PowerCutDisk disk;
  for (const Step& step : history) {
    const bool is_sync = step.kind == Step::Kind::kSyncFile || step.kind == Step::Kind::kSyncDirectory;
    if (is_sync) look(disk, step);
    disk.Apply(step);
    disk.history_.clear();
    if (!is_sync) look(disk, step);
  }
}

}  // namespace fleetmark
