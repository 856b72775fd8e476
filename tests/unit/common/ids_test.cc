#include "common/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace fleetmark {
namespace {

TEST(Ids, RandomOnesDifferAndHaveTheirForm) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewId();
    EXPECT_EQ(id.size(), static_cast<size_t>(kIdLength));
    EXPECT_EQ(id.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz"), std::string::npos);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(Ids, DerivedOnesDependOnEveryPartAndItsPlace) {
  EXPECT_EQ(DeriveId({"job", "1"}), DeriveId({"job", "1"}));
  EXPECT_NE(DeriveId({"job", "1"}), DeriveId({"job", "2"}));
  EXPECT_NE(DeriveId({"ab", "c"}), DeriveId({"a", "bc"}));
  EXPECT_EQ(DeriveId({"job", "1"}).size(), static_cast<size_t>(kIdLength));
}

}  // namespace
}  // namespace fleetmark
