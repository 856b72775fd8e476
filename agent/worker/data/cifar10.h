#pragma once

#include <string>

#include "agent/worker/data/labelled_images.h"
#include "agent/worker/parameters.h"
#include "common/status.h"

namespace fleetmark {

// CIFAR-10 in its binary format, data_batch_1.bin to data_batch_5.bin and test_batch.bin in
// `dataset_dir`/cifar-10-batches-bin: 50,000 images of 3 x 32 x 32 to train on and 10,000 to test; files with other
// numbers of images are "cifar10-like". Its hash is that of the six files one after the other. Fails with
// "data_missing" or "data_corrupt".
StatusOr<ImageDataset> LoadCifar10(const std::string& dataset_dir);

// What parameter `data` of the workloads on CIFAR-10 asks for: `train` images to train on, made by parameter `seed`
// (and `test` to test) or the first ones of the real data. Fails with "bad_parameter" where those are fewer.
StatusOr<ImageDataset> LoadCifarData(const Parameters& parameters, const std::string& dataset_dir, int64_t train,
                                     int64_t test);

}  // namespace fleetmark
