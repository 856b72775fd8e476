#include "common/suggest.h"

#include <gtest/gtest.h>

namespace fleetmark {
namespace {

TEST(Suggest, NamesTheNearestMisspelling) {
  EXPECT_EQ(Nearest("tensor_ad", {"mnist_cnn", "tensor_add"}), "tensor_add");
  EXPECT_EQ(SuggestFrom("mnst_cnn", {"mnist_cnn", "tensor_add"}), "did you mean mnist_cnn?");
}

TEST(Suggest, ListsWhatIsKnownWhenNothingIsNear) {
  EXPECT_EQ(Nearest("resnet", {"mnist_cnn", "tensor_add"}), "");
  EXPECT_EQ(SuggestFrom("resnet", {"mnist_cnn", "tensor_add"}), "known: mnist_cnn, tensor_add");
  EXPECT_EQ(SuggestFrom("resnet", {}), "");
}

}  // namespace
}  // namespace fleetmark
