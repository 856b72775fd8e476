#include "agent/worker/data/batch_loader.h"

#include <algorithm>
#include <random>
#include <utility>

#include "agent/worker/data/augment.h"
#include "agent/worker/failure.h"
#include "agent/worker/scramble.h"
#include "agent/worker/start_environment.h"

namespace fleetmark {

BatchLoader::BatchLoader(const ImageSource& source, std::vector<int64_t> indices, const Options& options)
    : source_(source), indices_(std::move(indices)), options_(options) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

int64_t BatchLoader::batches_per_epoch() const { return static_cast<int64_t>(indices_.size()) / options_.batch; }

StatusOr<ImageBatch> BatchLoader::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ready_.contains(delivered_); });
  StatusOr<ImageBatch> batch = std::move(ready_.extract(delivered_++).mapped());
  lock.unlock();
  changed_.notify_all();
  return batch;
}

int64_t BatchLoader::broken() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(broken_.size());
}

std::vector<std::string> BatchLoader::broken_examples() const {
  const std::lock_guard lock(mutex_);
  return broken_examples_;
}

void BatchLoader::Work() {
  LeavePinning();
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || claimed_ < delivered_ + options_.prefetch; });
    if (stopping_) return;
    const int64_t number = claimed_++;
    lock.unlock();
    StatusOr<ImageBatch> batch = Make(number);
    lock.lock();
    ready_.emplace(number, std::move(batch));
    changed_.notify_all();
  }
}

std::vector<int64_t> BatchLoader::OrderOf(int64_t epoch) const {
  std::vector<int64_t> order = indices_;
  if (!options_.augment) return order;
  std::mt19937 random(options_.seed + static_cast<uint32_t>(epoch));
  // Not std::shuffle: what it draws differs between libraries.
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

StatusOr<ImageBatch> BatchLoader::Make(int64_t number) {
  const int64_t epoch = number / batches_per_epoch();
  const std::vector<int64_t> order = OrderOf(epoch);
  const size_t image_size = size_t{3} * static_cast<size_t>(options_.side) * static_cast<size_t>(options_.side);
  ImageBatch batch;
  batch.pixels.resize(image_size * static_cast<size_t>(options_.batch));
  for (int64_t i = 0; i < options_.batch; ++i) {
    auto position = static_cast<size_t>(number % batches_per_epoch() * options_.batch + i);
    const uint32_t key = Scramble(options_.seed ^ Scramble(static_cast<uint32_t>(number * options_.batch + i)));
    FLEETMARK_ASSIGN_OR_RETURN(const ColourImage image, ReadOrNext(order, &position));
    PlaceImage(image, options_.augment ? Placement::Random(key) : Placement(), options_.side,
               batch.pixels.data() + static_cast<size_t>(i) * image_size);
    batch.labels.push_back(source_.Label(order[position]));
  }
  return batch;
}

StatusOr<ColourImage> BatchLoader::ReadOrNext(const std::vector<int64_t>& order, size_t* position) {
  Status last;
  for (size_t tried = 0; tried < order.size(); ++tried) {
    StatusOr<ColourImage> image = source_.Read(order[*position]);
    if (image.ok()) return image;
    last = image.status();
    if (last.kind() == "unsupported") return last;  // this worker lacks the library: no other image would do
    NoteBroken(order[*position], last.message());
    *position = (*position + 1) % order.size();
  }
  return DataCorrupt("none of the " + std::to_string(order.size()) + " images can be read; the last: " + last.message(),
                     last.hint());
}

void BatchLoader::NoteBroken(int64_t index, const std::string& why) {
  constexpr size_t kMostExamples = 5;
  const std::lock_guard lock(mutex_);
  if (broken_.insert(index).second && broken_examples_.size() < kMostExamples) broken_examples_.push_back(why);
}

}  // namespace fleetmark
