#include "agent/worker/known_ceilings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "agent/worker/failure.h"
#include "common/clock.h"

namespace fleetmark {
namespace {

std::vector<Ceiling> Kept() { return {{"memory", "", 100, 7}, {"arithmetic", "fp32", 200, 8}}; }

double MeasuringIsWrong() {
  ADD_FAILURE() << "what is known was measured again";
  return 1;
}

TEST(KnownCeilings, OneThatIsKnownIsNotMeasured) {
  KnownCeilings ceilings(Kept());
  EXPECT_EQ(ceilings.Of("memory", "", 60, MeasuringIsWrong), 100);
  EXPECT_EQ(ceilings.Of("arithmetic", "fp32", 200, MeasuringIsWrong), 200);
  ASSERT_EQ(ceilings.compared().size(), 2u);
  EXPECT_EQ(ceilings.compared()[0].resource, "memory");
  EXPECT_EQ(ceilings.compared()[0].measured_unix_s, 7);
  EXPECT_EQ(ceilings.compared()[1].dtype, "fp32");
  EXPECT_EQ(ceilings.compared()[1].measured_unix_s, 8);
}

TEST(KnownCeilings, OneThatIsUnknownIsMeasuredOnce) {
  const double before = RealClock().Now().unix_s();
  KnownCeilings ceilings(Kept());
  EXPECT_EQ(ceilings.Of("arithmetic", "bf16", 60, [] { return 400; }), 400);
  EXPECT_EQ(ceilings.Of("arithmetic", "bf16", 60, MeasuringIsWrong), 400);
  EXPECT_EQ(ceilings.compared()[0].dtype, "bf16");
  EXPECT_GE(ceilings.compared()[0].measured_unix_s, before);
}

TEST(KnownCeilings, OneThatTheRunPassesIsMeasuredAnewAndTheBetterCounts) {
  const double before = RealClock().Now().unix_s();
  KnownCeilings raised(Kept());
  EXPECT_EQ(raised.Of("memory", "", 110, [] { return 120; }), 120);
  EXPECT_GE(raised.compared()[0].measured_unix_s, before);
  int measured = 0;
  KnownCeilings again;
  EXPECT_EQ(again.Of("memory", "", 110, [&] { return ++measured == 1 ? 60 : 120; }), 120);
  EXPECT_EQ(measured, 2) << "the first was of a bad minute, and the second is enough";
  measured = 0;
  KnownCeilings stays(Kept());
  EXPECT_EQ(stays.Of("memory", "", 110, [&] { return ++measured, 90; }), 100);
  EXPECT_EQ(measured, 3) << "not for ever";
  EXPECT_EQ(stays.compared()[0].rate, 100);
  EXPECT_EQ(stays.compared()[0].measured_unix_s, 7) << "of the measurement that counts";
}

TEST(KnownCeilings, WhatCannotBeMeasuredWasNotComparedWith) {
  KnownCeilings ceilings(Kept());
  EXPECT_THROW(ceilings.Of("memory", "", 110, []() -> double { throw RunFailure(OutOfMemory("none left")); }),
               RunFailure);
  for (const double nonsense : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(KnownCeilings().Of("arithmetic", "fp16", 1, [&] { return nonsense; }), RunFailure) << nonsense;
  }
  EXPECT_TRUE(ceilings.compared().empty());
}

}  // namespace
}  // namespace fleetmark
