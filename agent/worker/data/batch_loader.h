#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "agent/worker/data/image_source.h"

namespace fleetmark {

struct ImageBatch {
  std::vector<float> pixels;    // batch x side x side x 3, from 0 to 1
  std::vector<int64_t> labels;  // batch
};

// Makes batches on threads of its own while the caller trains: reads, decodes, augments. At most `prefetch` batches are
// ahead of it, ready or being made. Epoch after epoch, each in an order of its own; what a batch holds follows from the
// seed and its number, not from the threads. An image that cannot be read is named, counted, and the next one takes its
// place.
class BatchLoader {
 public:
  struct Options {
    int64_t batch;
    int side;
    int threads;
    int prefetch;
    bool augment;  // and shuffle
    uint32_t seed;
  };

  // Loads `indices` of `source`, which outlives this, in full batches; at least one.
  BatchLoader(const ImageSource& source, std::vector<int64_t> indices, const Options& options);
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;
  ~BatchLoader();

  int64_t batches_per_epoch() const;
  // The next batch, waiting for it where need be. Fails with "data_corrupt" when no image at all can be read.
  StatusOr<ImageBatch> Next();

  // Images that could not be read: how many different ones, and what was wrong with the first few.
  int64_t broken() const;
  std::vector<std::string> broken_examples() const;

 private:
  void Work();
  StatusOr<ImageBatch> Make(int64_t number);
  // The `position`-th image of the epoch, or the first readable one after it.
  StatusOr<ColourImage> ReadOrNext(const std::vector<int64_t>& order, size_t* position);
  std::vector<int64_t> OrderOf(int64_t epoch) const;
  void NoteBroken(int64_t index, const std::string& why);

  const ImageSource& source_;
  const std::vector<int64_t> indices_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, StatusOr<ImageBatch>> ready_;  // by number
  int64_t claimed_ = 0;                            // the next number that a thread takes on
  int64_t delivered_ = 0;                          // the next number that Next returns
  bool stopping_ = false;
  std::set<int64_t> broken_;
  std::vector<std::string> broken_examples_;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace fleetmark
