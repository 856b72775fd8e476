#pragma once

#include <string>

#include "coordinator/cli/tune_space.h"

// A workload to tune and a host to do it on, for the tests of the search.
namespace fleetmark {

inline v1::ParameterSpec* AddTunable(v1::WorkloadSpec* workload, const std::string& name, const std::string& type,
                                     const std::string& default_value) {
  v1::ParameterSpec* spec = workload->add_parameters();
  spec->set_name(name);
  spec->set_type(type);
  spec->set_default_value(default_value);
  spec->set_tunable(true);
  return spec;
}

inline v1::WorkloadSpec SampleWorkload() {
  v1::WorkloadSpec workload;
  workload.set_name("work");
  AddTunable(&workload, "batch", "int", "64")->set_tunable(false);
  AddTunable(&workload, kSeed, "int", "1")->set_tunable(false);
  v1::ParameterSpec* allocator = AddTunable(&workload, "allocator", "choice", "stock");
  for (const char* choice : {"stock", "retain"}) allocator->add_choices(choice);
  (*allocator->mutable_tuned())["cpu"] = "retain";
  v1::ParameterSpec* format = AddTunable(&workload, "format", "choice", "nchw");
  for (const char* choice : {"nchw", "nhwc"}) format->add_choices(choice);
  v1::ParameterSpec* threads = AddTunable(&workload, "threads", "int", "0");
  threads->set_unit("threads");
  threads->set_min(0);
  threads->set_max(6);
  return workload;
}

inline v1::Host SampleHost() {
  v1::Host host;
  host.set_cpu_count(8);
  host.set_physical_cores(4);
  return host;
}

inline TuneSpace SampleSpace() { return MakeTuneSpace(SampleWorkload(), "cpu", SampleHost()); }

}  // namespace fleetmark
