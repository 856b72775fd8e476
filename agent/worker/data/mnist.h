#pragma once

#include <string>

#include "agent/worker/data/labelled_images.h"
#include "common/status.h"

namespace fleetmark {

// The four IDX files in `dataset_dir`/mnist, named as common/mnist_files.h has it or with a dot for the second hyphen
// (train-images.idx3-ubyte), plain or .gz. Its name is "mnist" when the files are the published ones byte by byte, else
// "mnist-like"; its hash is that of the four files' hashes in their order. Fails with "data_missing" or "data_corrupt".
StatusOr<ImageDataset> LoadMnist(const std::string& dataset_dir);

}  // namespace fleetmark
