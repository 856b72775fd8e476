#include "agent/worker/event_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "agent/worker/failure.h"
#include "common/worker_protocol.h"

namespace fleetmark {
namespace {

// A pipe whose reader gathers what was written, however much it is.
class PipeReader {
 public:
  PipeReader() {
    EXPECT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    reader_ = std::thread([this] {
      char buffer[65536];
      for (ssize_t count = 0; (count = read(ends_[0], buffer, sizeof(buffer))) > 0;) {
        text_.append(buffer, static_cast<size_t>(count));
      }
    });
  }
  int write_end() const { return ends_[1]; }
  std::vector<Json> Lines() {
    close(ends_[1]);
    reader_.join();
    close(ends_[0]);
    std::vector<Json> lines;
    std::istringstream stream(text_);
    for (std::string line; std::getline(stream, line);) {
      EXPECT_LT(line.size(), kEventLineLimit);
      lines.push_back(Json::parse(line));
    }
    return lines;
  }

 private:
  int ends_[2];
  std::string text_;
  std::thread reader_;
};

TEST(EventWriter, WritesEachEventAsOneLineOfProtoJson) {
  PipeReader reader;
  EventWriter writer(reader.write_end());
  writer.Phase("measure");
  writer.Epoch({.epoch = 1, .epoch_s = 2.5, .score = {.loss = 0.25, .val_accuracy = 0.99}});
  writer.Ceiling({"arithmetic", "bf16", 2.5e12, 7});
  writer.Error(BadParameter("n is \"x\"\nand more", "give a number"));
  const std::vector<Json> lines = reader.Lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].dump(), R"({"phase":{"name":"measure"}})");
  EXPECT_EQ(lines[1].dump(), R"({"training_epoch":{"epoch":1,"epoch_s":2.5,"loss":0.25,"val_accuracy":0.99}})");
  EXPECT_EQ(lines[2].dump(),
            R"({"ceiling":{"resource":"arithmetic","dtype":"bf16","rate":2500000000000.0,"measured_unix_s":7.0}})");
  EXPECT_EQ(lines[3].dump(),
            R"({"error":{"kind":"bad_parameter","message":"n is \"x\"\nand more","hint":"give a number"}})");
}

TEST(EventWriter, MetricsCarryStatisticsOnlyWhenSampled) {
  MetricRecorder recorder;
  const std::vector<double> times(20, 0.5);
  recorder.RecordRate("it_per_s", 2, 1, times);
  recorder.Record("first_call_s", 3);
  PipeReader reader;
  EventWriter writer(reader.write_end());
  for (const MetricValue& metric : recorder.metrics()) writer.Metric(metric);
  const std::vector<Json> lines = reader.Lines();
  EXPECT_EQ(lines[0].dump(),
            R"({"metric":{"name":"it_per_s","unit":"it/s","value":2.0,"n":20,"best":2.0,"median":2.0,"mean":2.0,)"
            R"("sd":0.0,"mad":0.0,"p5":2.0,"p95":2.0,"p99":2.0,"ci_low":2.0,"ci_high":2.0}})");
  EXPECT_EQ(lines[1].dump(), R"({"metric":{"name":"first_call_s","unit":"s","value":3.0}})");
}

TEST(EventWriter, OneValueHasNoSpread) {
  MetricRecorder recorder;
  recorder.RecordRate("it_per_s", 2, 1, std::vector<double>{0.5});
  PipeReader reader;
  EventWriter writer(reader.write_end());
  writer.Metric(recorder.metrics().front());
  EXPECT_EQ(reader.Lines().at(0).dump(),
            R"({"metric":{"name":"it_per_s","unit":"it/s","value":2.0,"n":1,"best":2.0,"median":2.0,"mean":2.0,)"
            R"("p5":2.0,"p95":2.0,"p99":2.0}})");
}

TEST(EventWriter, NumbersThatAreNotFiniteAreProtoJsonStrings) {
  EXPECT_EQ(JsonNumber(std::nan("")).dump(), "\"NaN\"");
  EXPECT_EQ(JsonNumber(std::numeric_limits<double>::infinity()).dump(), "\"Infinity\"");
  EXPECT_EQ(JsonNumber(-std::numeric_limits<double>::infinity()).dump(), "\"-Infinity\"");
  EXPECT_EQ(JsonNumber(0.1).dump(), "0.1");
}

TEST(EventWriter, SamplesAreCutIntoLinesBelowTheLimit) {
  std::vector<double> values;
  for (int i = 0; i < 100000; ++i) values.push_back(-1.2345678901234567e-100 * (i + 1));
  PipeReader reader;
  EventWriter writer(reader.write_end());
  writer.Samples("step_s", "s", values);
  size_t next = 0;
  for (const Json& line : reader.Lines()) {
    EXPECT_EQ(line["samples"]["first"], next);
    next += line["samples"]["values"].size();
  }
  EXPECT_EQ(next, values.size());
}

TEST(EventWriter, ForeignTextCannotBreakALine) {
  PipeReader reader;
  EventWriter writer(reader.write_end());
  writer.Error(Internal("bytes \xff\xfe that are no UTF-8\n" + std::string(3 << 20, 'x'), "", "internal"));
  EXPECT_EQ(reader.Lines().size(), 1u);
}

TEST(EventWriter, NoticesThatNobodyReads) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  EventWriter writer(ends[1]);
  EXPECT_TRUE(writer.open());
  close(ends[0]);
  writer.Phase("measure");
  EXPECT_FALSE(writer.open());
  close(ends[1]);
}

}  // namespace
}  // namespace fleetmark
