#include "agent/sampler/sampler.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/sampler/telemetry_record.h"

namespace fleetmark {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

double SecondsSince(SteadyTime time) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - time).count();
}

v1::Sensor SensorSays(const char* name, const char* state, const std::string& why) {
  v1::Sensor sensor;
  sensor.set_name(name);
  sensor.set_state(state);
  sensor.set_why(why);
  return sensor;
}

v1::Sensor Hanging(const char* name, double hang_s) {
  return SensorSays(name, "hangs",
                    "it did not answer for " + std::to_string(hang_s).substr(0, 4) + " s and was given up");
}

// What a sensor throws is its own failure and not the agent's.
v1::Sensor ReadSafely(Sensor* sensor, const SensorSubject* subject, double now_s, std::vector<Reading>* readings) {
  try {
    if (subject != nullptr) sensor->Begin(*subject);
    return sensor->Read(now_s, readings);
  } catch (const std::exception& error) {
    readings->clear();
    return SensorSays(sensor->name(), "failed", error.what());
  }
}

}  // namespace

struct Sampler::Session {
  struct Asked {
    std::unique_ptr<Sensor> sensor;
    v1::Sensor said;
    bool has_given = false;           // a reading, when it was asked last
    std::optional<SteadyTime> since;  // it is being read since then
    std::thread thread;
  };

  Session(const Options& with, std::optional<BlockSchedule> in_blocks)
      : options(with), blocks(in_blocks), record(with.interval_s) {}

  void ReadUntilFinished(Asked* asked);
  void Take(Asked* asked, v1::Sensor said, double at_s, const std::vector<Reading>& readings);
  double DueAt(int64_t tick) const;
  bool IsAwayFromBorders(double at_s) const;
  int64_t TickAfter(int64_t tick, const Asked& asked) const;
  // What is said at the end of one that is still being read, or never was.
  void Conclude(Asked* asked) const;

  const Options options;
  const std::optional<BlockSchedule> blocks;
  const int cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_CONF));
  // Set before the threads begin.
  SensorSubject subject;
  SteadyTime started;

  std::mutex mutex;  // guards what follows
  std::condition_variable finished;
  bool is_finished = false;
  TelemetryRecord record;
  std::vector<Asked> sensors;  // none is added once the threads have begun
};

void Sampler::Session::ReadUntilFinished(Asked* asked) {
  bool has_begun = false;
  std::unique_lock lock(mutex);
  for (int64_t tick = 0;; tick = TickAfter(tick, *asked)) {
    const SteadyTime due =
        started + std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(DueAt(tick)));
    if (finished.wait_until(lock, due, [this] { return is_finished; })) return;
    const double now_s = SecondsSince(started);
    if (blocks && !blocks->IsOnAt(now_s)) continue;  // woken up too late
    asked->since = std::chrono::steady_clock::now();
    lock.unlock();
    std::vector<Reading> readings;
    v1::Sensor said = ReadSafely(asked->sensor.get(), has_begun ? nullptr : &subject, now_s, &readings);
    has_begun = true;
    lock.lock();
    const double took_s = SecondsSince(*asked->since);
    asked->since.reset();
    if (is_finished) return;
    if (took_s > options.hang_s) {
      asked->said = Hanging(asked->sensor->name(), options.hang_s);
      return;
    }
    Take(asked, std::move(said), now_s, readings);
  }
}

void Sampler::Session::Take(Asked* asked, v1::Sensor said, double at_s, const std::vector<Reading>& readings) {
  asked->has_given = !readings.empty();
  for (const Reading& reading : readings) {
    if (const auto nonsense = Nonsense(reading, cpus)) {
      said = SensorSays(asked->sensor->name(), "failed", *nonsense);
    } else {
      record.Add(at_s, reading);
    }
  }
  asked->said = std::move(said);
}

// In blocks half an interval later: see IsAwayFromBorders.
double Sampler::Session::DueAt(int64_t tick) const {
  const double shift = blocks ? 0.5 : 0;
  return std::max((static_cast<double>(tick) + shift) * options.interval_s, options.first_read_s);
}

// A step that is under way at the border of two blocks counts in neither, so what is read in it would cost nothing.
bool Sampler::Session::IsAwayFromBorders(double at_s) const {
  const double margin_s = 0.4 * options.interval_s;
  return blocks->IsOnAt(at_s - margin_s) && blocks->IsOnAt(at_s + margin_s);
}

int64_t Sampler::Session::TickAfter(int64_t tick, const Asked& asked) const {
  const bool has_more = asked.has_given || asked.said.state() == "ok" || asked.said.state().empty();
  const double wait_s = has_more ? options.interval_s : options.absent_interval_s;
  const auto passed = static_cast<int64_t>(SecondsSince(started) / options.interval_s);
  tick = std::max(tick + std::max<int64_t>(std::llround(wait_s / options.interval_s), 1), passed + 1);
  while (blocks && !IsAwayFromBorders(DueAt(tick))) ++tick;
  return tick;
}

void Sampler::Session::Conclude(Asked* asked) const {
  const char* name = asked->sensor->name();
  if (asked->since && SecondsSince(*asked->since) > options.hang_s) {
    asked->said = Hanging(name, options.hang_s);
  } else if (asked->said.state().empty()) {
    asked->said = SensorSays(name, "failed", "the run ended before it had answered");
  }
}

Sampler::Recording::Recording(Sampler* sampler, std::optional<BlockSchedule> blocks)
    : sampler_(*sampler), session_(std::make_shared<Session>(sampler->options_, blocks)) {}

Sampler::Recording::~Recording() { Finish(); }

void Sampler::Recording::Start(const SensorSubject& subject) {
  const SteadyTime started = std::chrono::steady_clock::now();
  const std::set<std::string> hanging = sampler_.StillHanging();
  std::vector<Session::Asked> sensors;
  for (std::unique_ptr<Sensor>& sensor : sampler_.options_.make_sensors(subject)) {
    Session::Asked& asked = sensors.emplace_back();
    if (hanging.contains(sensor->name())) {
      asked.said = SensorSays(sensor->name(), "hangs", "it has not answered since an earlier run");
    }
    asked.sensor = std::move(sensor);
  }
  const std::lock_guard lock(session_->mutex);
  if (session_->is_finished) return;
  session_->subject = subject;
  session_->started = started;
  session_->sensors = std::move(sensors);
  for (Session::Asked& asked : session_->sensors) {
    if (!asked.said.state().empty()) continue;
    try {
      asked.thread = std::thread([session = session_, &asked] { session->ReadUntilFinished(&asked); });
    } catch (const std::system_error& error) {  // no more threads here: a run goes on without
      asked.said = SensorSays(asked.sensor->name(), "failed", std::string("it has no thread: ") + error.what());
    }
  }
}

v1::Telemetry Sampler::Recording::Finish() {
  v1::Telemetry telemetry;
  std::vector<std::thread> idle;
  bool is_reading = false;
  {
    const std::lock_guard lock(session_->mutex);
    if (std::exchange(session_->is_finished, true)) return telemetry;
    telemetry = session_->record.Build();
    for (Session::Asked& asked : session_->sensors) {
      session_->Conclude(&asked);
      *telemetry.add_sensors() = asked.said;
      if (asked.since) {
        is_reading = true;
        asked.thread.detach();
      } else if (asked.thread.joinable()) {
        idle.push_back(std::move(asked.thread));
      }
    }
  }
  session_->finished.notify_all();
  for (std::thread& thread : idle) thread.join();
  const std::lock_guard lock(sampler_.mutex_);
  if (is_reading) sampler_.unfinished_.push_back(session_);
  return telemetry;
}

std::unique_ptr<Sampler::Recording> Sampler::Record(std::optional<BlockSchedule> blocks) {
  return std::unique_ptr<Recording>(new Recording(this, blocks));
}

// Never holds two mutexes: a session's is held by whoever starts or finishes its recording.
std::set<std::string> Sampler::StillHanging() {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(mutex_);
    sessions = unfinished_;
  }
  std::set<std::string> hanging;
  std::set<std::shared_ptr<Session>> done;
  for (const std::shared_ptr<Session>& session : sessions) {
    const std::lock_guard lock(session->mutex);
    bool is_reading = false;
    for (const Session::Asked& asked : session->sensors) {
      is_reading = is_reading || asked.since;
      if (asked.since && SecondsSince(*asked.since) > options_.hang_s) hanging.insert(asked.sensor->name());
    }
    if (!is_reading) done.insert(session);
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(unfinished_, [&done](const std::shared_ptr<Session>& session) { return done.contains(session); });
  return hanging;
}

}  // namespace fleetmark
