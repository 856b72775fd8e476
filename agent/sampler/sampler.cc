#include "agent/sampler/sampler.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "agent/sampler/sensor_story.h"
#include "agent/sampler/telemetry_record.h"

namespace fleetmark {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// From which share of the time after which a sensor hangs a word is said of an answer that was waited for.
constexpr double kSlowShare = 0.5;

double SecondsSince(SteadyTime time) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - time).count();
}

v1::Sensor SensorSays(const std::string& name, const char* state, const std::string& why) {
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
    std::string first_name;  // before it was read
    SensorStory story;
    bool has_given = false;           // a reading, when it was asked last
    std::optional<SteadyTime> since;  // it is being read, or ends, since then
    bool is_ending = false;
    bool has_ended = false;
    bool is_given_up = false;  // as it did not end
    std::thread thread;
  };

  Session(const Options& with, std::optional<BlockSchedule> in_blocks)
      : options(with), blocks(in_blocks), record(with.interval_s) {}

  void ReadUntilFinished(Asked* asked);
  void End(Asked* asked, std::unique_lock<std::mutex>* lock);
  // Waits for the threads of sensors that are not being read. False when some sensor's thread is left to itself.
  bool EndThreads();
  void Take(Asked* asked, v1::Sensor said, double at_s, const std::vector<Reading>& readings);
  double DueAt(int64_t tick) const;
  bool IsAwayFromBorders(double at_s) const;
  int64_t TickAfter(int64_t tick, const Asked& asked) const;
  bool IsSlow(double took_s) const { return took_s > kSlowShare * options.hang_s; }
  // What is said of it at the end, also when it is still being read, or never was.
  v1::Sensor Conclude(Asked* asked) const;

  const Options options;
  const std::optional<BlockSchedule> blocks;
  const int cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_CONF));
  // Set before the threads begin.
  SensorSubject subject;
  SteadyTime started;

  std::mutex mutex;  // guards what follows
  std::condition_variable finished, ended;
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
    if (finished.wait_until(lock, due, [this] { return is_finished; })) break;
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
    if (is_finished) break;
    if (took_s > options.hang_s) {
      asked->story.Take(now_s, Hanging(asked->sensor->name(), options.hang_s));
      break;
    }
    Take(asked, std::move(said), now_s, readings);
    if (IsSlow(took_s)) asked->story.Slow(now_s, took_s);
  }
  End(asked, &lock);
}

// By the thread that read it, since a driver's library may also hang as it is given up.
void Sampler::Session::End(Asked* asked, std::unique_lock<std::mutex>* lock) {
  asked->since = std::chrono::steady_clock::now();
  asked->is_ending = true;
  lock->unlock();
  asked->sensor->End();
  lock->lock();
  asked->since.reset();
  asked->has_ended = true;
  ended.notify_all();
}

bool Sampler::Session::EndThreads() {
  std::vector<std::thread> idle;
  bool has_all = true;
  std::unique_lock lock(mutex);
  const auto have_ended = [this] {
    return std::all_of(sensors.begin(), sensors.end(),
                       [](const Asked& asked) { return asked.has_ended || !asked.thread.joinable(); });
  };
  ended.wait_for(lock, std::chrono::duration<double>(options.hang_s), have_ended);
  for (Asked& asked : sensors) {
    if (asked.thread.joinable()) {
      asked.is_given_up = !asked.has_ended;
      if (asked.is_given_up) {
        asked.thread.detach();
      } else {
        idle.push_back(std::move(asked.thread));
      }
    }
    has_all = has_all && !asked.since && !asked.is_given_up;
  }
  lock.unlock();
  for (std::thread& thread : idle) thread.join();
  return has_all;
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
  asked->story.Take(at_s, std::move(said));
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
  const std::string& state = asked.story.last().state();
  const bool has_more = asked.has_given || state == "ok" || state.empty();
  const double wait_s = has_more ? options.interval_s : options.absent_interval_s;
  const auto passed = static_cast<int64_t>(SecondsSince(started) / options.interval_s);
  tick = std::max(tick + std::max<int64_t>(std::llround(wait_s / options.interval_s), 1), passed + 1);
  while (blocks && !IsAwayFromBorders(DueAt(tick))) ++tick;
  return tick;
}

v1::Sensor Sampler::Session::Conclude(Asked* asked) const {
  const char* name = asked->sensor->name();
  SensorStory& story = asked->story;
  const double pending_s = asked->since && !asked->is_ending ? SecondsSince(*asked->since) : 0;
  const double began_s = SecondsSince(started) - pending_s;
  if (pending_s > options.hang_s) {
    story.Take(began_s, Hanging(name, options.hang_s));
  } else if (story.last().state().empty()) {
    story.Take(began_s, SensorSays(name, "failed", "the run ended before it had answered"));
  } else if (IsSlow(pending_s)) {
    story.Take(began_s, story.last());
    story.Slow(began_s, pending_s);
  }
  return story.Tell();
}

Sampler::Recording::Recording(Sampler* sampler, std::optional<BlockSchedule> blocks)
    : sampler_(*sampler), session_(std::make_shared<Session>(sampler->options_, blocks)) {}

Sampler::Recording::~Recording() { Finish(); }

void Sampler::Recording::Start(const SensorSubject& subject) {
  const SteadyTime started = std::chrono::steady_clock::now();
  const std::map<std::string, std::string> hanging = sampler_.StillHanging();
  std::vector<Session::Asked> sensors;
  for (std::unique_ptr<Sensor>& sensor : sampler_.options_.make_sensors(subject)) {
    Session::Asked& asked = sensors.emplace_back();
    asked.first_name = sensor->name();
    if (const auto found = hanging.find(asked.first_name); found != hanging.end()) {
      asked.story.Take(0, SensorSays(found->second, "hangs", "it has not answered since an earlier run"));
    }
    asked.sensor = std::move(sensor);
  }
  const std::lock_guard lock(session_->mutex);
  if (session_->is_finished) return;
  session_->subject = subject;
  session_->started = started;
  session_->sensors = std::move(sensors);
  for (Session::Asked& asked : session_->sensors) {
    if (!asked.story.last().state().empty()) continue;
    try {
      asked.thread = std::thread([session = session_, &asked] { session->ReadUntilFinished(&asked); });
    } catch (const std::system_error& error) {  // no more threads here: a run goes on without
      asked.story.Take(0, SensorSays(asked.first_name, "failed", std::string("it has no thread: ") + error.what()));
    }
  }
}

v1::Telemetry Sampler::Recording::Finish() {
  v1::Telemetry telemetry;
  {
    const std::lock_guard lock(session_->mutex);
    if (std::exchange(session_->is_finished, true)) return telemetry;
    telemetry = session_->record.Build();
    for (Session::Asked& asked : session_->sensors) {
      *telemetry.add_sensors() = session_->Conclude(&asked);
      if (asked.since) asked.thread.detach();  // nobody waits for it
    }
  }
  session_->finished.notify_all();
  if (session_->EndThreads()) return telemetry;
  const std::lock_guard lock(sampler_.mutex_);
  sampler_.unfinished_.push_back(session_);
  return telemetry;
}

std::unique_ptr<Sampler::Recording> Sampler::Record(std::optional<BlockSchedule> blocks) {
  return std::unique_ptr<Recording>(new Recording(this, blocks));
}

// Never holds two mutexes: a session's is held by whoever starts or finishes its recording.
std::map<std::string, std::string> Sampler::StillHanging() {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    const std::lock_guard lock(mutex_);
    sessions = unfinished_;
  }
  std::map<std::string, std::string> hanging;
  std::set<std::shared_ptr<Session>> done;
  for (const std::shared_ptr<Session>& session : sessions) {
    const std::lock_guard lock(session->mutex);
    bool is_reading = false;
    for (const Session::Asked& asked : session->sensors) {
      if (!asked.since) continue;
      is_reading = true;
      if (asked.is_given_up || SecondsSince(*asked.since) > options_.hang_s) {
        hanging.emplace(asked.first_name, asked.sensor->name());
      }
    }
    if (!is_reading) done.insert(session);
  }
  const std::lock_guard lock(mutex_);
  std::erase_if(unfinished_, [&done](const std::shared_ptr<Session>& session) { return done.contains(session); });
  return hanging;
}

}  // namespace fleetmark
