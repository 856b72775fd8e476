"""Makes copies of the cores' sources in which each mutant below can be switched on by its name at run time.

    mutants.py SOURCE_ROOT OUTPUT_DIRECTORY FILE...

A mutant is one line of a core with the code taken out, or turned round, that upholds an invariant of the protocol. In
`to`, ON stands for "this mutant is switched on". What is to be replaced must be there exactly once.
"""

import pathlib
import sys

# name, the invariant or failure it stands for, file, from, to
MUTANTS = [
    ("two-workers", "1: one live worker per machine", "agent/agent_core_calls.cc",
     "  return event.lock;", "  return ON ? OkStatus() : event.lock;"),
    ("spawn-again", "2: a StartRun that comes twice", "agent/agent_core_calls.cc",
     "if (const auto known = KnownStatus(request.attempt_id())) {",
     "if (const auto known = ON ? std::nullopt : KnownStatus(request.attempt_id())) {"),
    ("rerun-after-restart", "2: work run again after an agent restart", "agent/agent_core.cc",
     "      Finish(id, {});\n    }\n  }\n  state_.is_recovered",
     "      if (ON) out_->effects.push_back(SpawnWorker{id, attempt.request.spec(), \"\", \"\"});\n"
     "      Finish(id, {});\n    }\n  }\n  state_.is_recovered"),
    ("forget-pruned", "2: ids are kept until their start_by", "agent/agent_core.cc",
     "    if (!is_of_this_boot || now_.boottime_ns >", "    if (ON || !is_of_this_boot || now_.boottime_ns >"),
    ("dispatch-unsaved", "3: DISPATCHED commits before StartRun leaves", "coordinator/run_state.cc",
     "  Save(step, *attempt);\n  return *(step.state", "  if (!ON) Save(step, *attempt);\n  return *(step.state"),
    ("ack-before-store", "4: acknowledged before it was durable", "coordinator/result_intake.cc",
     "  attempt.is_fetching = true;",
     "  attempt.is_fetching = true;\n"
     "  if (ON) OweAck(step, agent, attempt.record.attempt_id, attempt.pending_sha256);"),
    ("prune-any-ack", "4: an ack names the bytes", "agent/agent_core_calls.cc",
     "  if (found->second.report_sha256 != ack.sha256()) {", "  if (!ON && found->second.report_sha256 != ack.sha256()) {"),
    ("prune-unasked", "4: pruned without an ack", "agent/agent_core_calls.cc",
     "  for (const v1::Ack& ack : request.acks()) Acknowledge(ack);",
     "  for (const v1::Ack& ack : request.acks()) Acknowledge(ack);\n"
     "  for (auto& [id, held] : std::map<std::string, Attempt>(attempts_)) {\n"
     "    if (ON && held.state == AttemptState::kResultReady) Retire(id, {false, \"\", \"\", held.request.start_by()});\n"
     "  }"),
    ("overwrite-report", "5: a report never changes", "coordinator/result_intake.cc",
     "  if (stray.is_known && stray.attempt.report_sha256.empty()) {",
     "  if (stray.is_known && (ON || stray.attempt.report_sha256.empty())) {"),
    ("success-without-result", "5: one result per run", "coordinator/result_intake.cc",
     "  const bool is_canonical = report->outcome() == \"succeeded\";",
     "  const bool is_canonical = !ON && report->outcome() == \"succeeded\";"),
    ("stale-fence", "6: a Sync built before StartRun, delivered after it", "agent/fence.cc",
     "  if (std::make_tuple(fence.coordinator_epoch(), fence.seq()) <",
     "  if (!ON && std::make_tuple(fence.coordinator_epoch(), fence.seq()) <"),
    ("other-coordinator", "6: a restored copy beside the original", "agent/fence.cc",
     "      fence.coordinator_instance_id() != highest.coordinator_instance_id) {",
     "      !ON && fence.coordinator_instance_id() != highest.coordinator_instance_id) {"),
    ("forget-fence", "6: the highest fence is on disk", "agent/agent_core_calls.cc",
     "  out_->writes.push_back(PutFence{state_.fence});", "  if (!ON) out_->writes.push_back(PutFence{state_.fence});"),
    ("unsaved-sync-fence", "6: the fence of a Sync is on disk", "agent/agent_core_calls.cc",
     "!= request.fence().coordinator_instance_id();\n  AcceptFence(request.fence());",
     "!= request.fence().coordinator_instance_id();\n  const size_t written = out_->writes.size();\n"
     "  AcceptFence(request.fence());\n  while (ON && out_->writes.size() > written) out_->writes.pop_back();"),
    ("other-spec", "7: one attempt, one specification", "agent/agent_core_calls.cc",
     "    if (!hash.empty() && hash != request.spec_sha256()) {",
     "    if (!ON && !hash.empty() && hash != request.spec_sha256()) {"),
    ("forget-tombstone", "8: a cancel before the start leaves a tombstone", "agent/agent_core_calls.cc",
     "void AgentCore::On(const StartRunCall& event) {",
     "void AgentCore::On(const StartRunCall& event) {\n"
     "  if (ON) std::erase_if(retired_, [](const auto& entry) { return entry.second.is_tombstone; });"),
    ("replan-finish", "9: FINISH is never replanned by time alone", "coordinator/run_state.cc",
     "return attempt.record.kill_on_disconnect && OccupiesMachine(attempt); }",
     "return (ON || attempt.record.kill_on_disconnect) && OccupiesMachine(attempt); }"),
    ("no-kill-bound", "9: the lease must have run out", "coordinator/run_state.cc",
     "  return at_ns + kKillBoundNs;", "  return ON ? agent.lease_ends_ns - SecondsToNanos(45) : at_ns + kKillBoundNs;"),
    ("no-start-bound", "9: a StartRun still under way when its lease ends", "coordinator/run_state.cc",
     "  const v1::BootTime& start_by = attempt.record.start_by;", "  const v1::BootTime& start_by = attempt.record.start_by;\n  if (ON) return at_ns + kKillBoundNs;"),
    ("refusal-forgotten", "9: a refused StartRun that is delivered twice", "agent/agent_core_calls.cc",
     "    SetRetired(request.attempt_id(), RetiredAttempt{true, status.message()",
     "    if (!ON) SetRetired(request.attempt_id(), RetiredAttempt{true, status.message()"),
    ("lost-answer-is-refusal", "9: a StartRun whose answer was lost", "coordinator/order_queue.cc",
     "  } else if (IsRefusal(event.status)) {", "  } else if (ON || IsRefusal(event.status)) {"),
    ("missing-is-gone", "9: missing, but not confirmed by a tombstone", "coordinator/reconcile.cc",
     "    OrderCancel(step, agent, attempt);\n  }\n}\n\n}  // namespace",
     "    ON ? Refuse(step, attempt, Unavailable(\"\", \"\", \"not_sent\")) : OrderCancel(step, agent, attempt);\n  }\n}\n\n}  // namespace"),
    ("absence-at-once", "9: an answer made before StartRun came", "coordinator/reconcile.cc",
     "    if (!is_listed && call >= attempt->absence_counts_from) {",
     "    if (ON && !is_listed) {\n"
     "      EndWithoutReport(step, *attempt, \"agent_restarted\", \"\");\n"
     "    } else if (!is_listed && call >= attempt->absence_counts_from) {"),
    ("ignore-lease", "9: a KILL run ends with its lease", "agent/agent_core.cc",
     "    const bool is_leased = attempt.request.on_disconnect() == \"KILL\";",
     "    const bool is_leased = !ON && attempt.request.on_disconnect() == \"KILL\";"),
    ("relative-lease", "9: a delayed Sync extends no lease", "agent/agent_core_calls.cc",
     "std::max<int64_t>(state_.lease_until_ns, request.lease().until_boottime_ns());",
     "std::max<int64_t>(state_.lease_until_ns, ON ? now_.boottime_ns + SecondsToNanos(60) : request.lease().until_boottime_ns());"),
    ("lease-of-other-boot", "9: a delayed Sync after the agent's reboot", "agent/agent_core_calls.cc",
     "  if (request.lease().boot_id() == identity_.boot_id) {", "  if (ON || request.lease().boot_id() == identity_.boot_id) {"),
    ("restart-forgets-leases", "9: a lease extension, then a coordinator restart", "coordinator/coordinator_core.cc",
     "    agent->lease_ends_ns = now.boottime_ns + SecondsToNanos(state_.config.epoch.previous_lease_s);",
     "    agent->lease_ends_ns = ON ? now.boottime_ns - kKillBoundNs : now.boottime_ns + SecondsToNanos(state_.config.epoch.previous_lease_s);"),
    ("uncounted-lease", "9: a grant counts from when it leaves", "coordinator/agent_link.cc",
     "    agent.lease_ends_ns = std::max(agent.lease_ends_ns, agent.boottime_read_ns + SecondsToNanos(config.lease_s));",
     "    if (!ON) agent.lease_ends_ns = std::max(agent.lease_ends_ns, agent.boottime_read_ns + SecondsToNanos(config.lease_s));"),
    ("leases-of-others", "9: the lease of another agent", "coordinator/agent_link.cc",
     "    RetryLater(step, agent, backoff);\n  }\n}\n\n}  // namespace",
     "    RetryLater(step, agent, backoff);\n"
     "    for (auto& [id, other] : step.state.agents) {\n"
     "      if (ON && other.get() != &agent) other->lease_ends_ns = 0;\n    }\n  }\n}\n\n}  // namespace"),
    ("other-incarnation", "9: a journal replaced between two deliveries", "agent/agent_core_calls.cc",
     "  FLEETMARK_RETURN_IF_ERROR(CheckIncarnation(request.incarnation()));",
     "  if (!ON) FLEETMARK_RETURN_IF_ERROR(CheckIncarnation(request.incarnation()));"),
    ("cancel-any-journal", "9: a tombstone of another journal", "agent/agent_core_calls.cc",
     "  if (status.ok() && !request.incarnation().empty()) status",
     "  if (!ON && status.ok() && !request.incarnation().empty()) status"),
    ("late-start", "9: a StartRun that arrives after its run was replanned", "agent/agent_core_calls.cc",
     "  if (request.start_by().boot_id() != identity_.boot_id || now_.boottime_ns > request.start_by().boottime_ns()) {",
     "  if (!ON && (request.start_by().boot_id() != identity_.boot_id || now_.boottime_ns > request.start_by().boottime_ns())) {"),
    ("no-requeue", "10: an accepted run that is forgotten", "coordinator/run_state.cc",
     "  Enqueue(step.state, run);\n  Save(step, run);", "  if (!ON) Enqueue(step.state, run);\n  Save(step, run);"),
    ("fetch-once", "10: a report whose fetch failed once", "coordinator/result_intake.cc",
     "    attempt->is_fetching = false;\n    attempt->fetch_not_before_ns", "    attempt->is_fetching = ON;\n    attempt->fetch_not_before_ns"),
    ("no-timeout", "10: a worker that hangs", "agent/agent_core.cc",
     "    } else if (attempt.runtime_deadline_ns > 0 && now_.boottime_ns >= attempt.runtime_deadline_ns) {",
     "    } else if (!ON && attempt.runtime_deadline_ns > 0 && now_.boottime_ns >= attempt.runtime_deadline_ns) {"),
    ("term-only", "10: a worker that ignores SIGTERM", "agent/agent_core.cc",
     "      if (attempt.kill_at_ns > 0 && now_.boottime_ns >= attempt.kill_at_ns) due.push_back",
     "      if (!ON && attempt.kill_at_ns > 0 && now_.boottime_ns >= attempt.kill_at_ns) due.push_back"),
    ("ack-never-sent", "10: a report that is stored and never acknowledged", "coordinator/agent_link.cc",
     "  for (auto& [id, ack] : agent.acks) {", "  for (auto& [id, ack] : agent.acks) {\n    if (ON) continue;"),
    ("orphans", "10: orphans after a restart: what nobody desires goes on", "agent/agent_core_calls.cc",
     "    if (desired.count(id) == 0) undesired.push_back(id);", "    if (!ON && desired.count(id) == 0) undesired.push_back(id);"),
    ("cancel-forgotten", "10: a cancel that never reaches the agent", "coordinator/reconcile.cc",
     "    } else if (is_listed && attempt->run->record.cancel_requested &&", "    } else if (!ON && is_listed && attempt->run->record.cancel_requested &&"),
    ("failed-renewal-kills", "9: a failed renewal kills a healthy run", "agent/agent_core_calls.cc",
     "void AgentCore::On(const CallGone& event) {",
     "void AgentCore::On(const CallGone& event) {\n"
     "  for (auto& [id, held] : std::map<std::string, Attempt>(attempts_)) {\n"
     "    if (ON && IsKnownLive(id)) BeginEnding(id, EndCause::kLeaseExpired, \"\", 0);\n"
     "  }"),
    ("unchecked-parameters", "12: bounds are checked by the agent", "agent/agent_core_calls.cc",
     "  FLEETMARK_RETURN_IF_ERROR(CheckRequest(offer_, request));", "  if (!ON) FLEETMARK_RETURN_IF_ERROR(CheckRequest(offer_, request));"),
    ("full-disk-acknowledges", "a full disk: what was not written counts as done", "agent/agent_core.cc",
     "  out_->writes.push_back(std::move(write));\n  ++state_.revision;\n  Announce",
     "  if (!ON) out_->writes.push_back(std::move(write));\n  ++state_.revision;\n  Announce"),
]

# Only interleavings_mutants sees these; of the first the fence on disk makes good whatever a seed does to it.
STAGED_MUTANTS = [
    ("unwritten-tombstone", "8: the tombstone is on disk", "agent/agent_core.cc",
     "  out_->writes.push_back(RetireAttempt{attempt_id, retired});",
     "  if (!ON || !retired.is_tombstone) out_->writes.push_back(RetireAttempt{attempt_id, retired});"),
    ("cancel-at-once", "a cancel that an agent cannot take is asked for in a busy loop", "coordinator/order_queue.cc",
     "    } else if (++attempt->cancel_failures == 1) {", "    } else if (++attempt->cancel_failures == 1 || ON) {"),
]


def main():
    root, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for file in sys.argv[3:]:
        text = '#include "tests/simulation/mutation.h"\n' + (root / file).read_text()
        for name, _, where, before, after in MUTANTS + STAGED_MUTANTS:
            if where != file:
                continue
            if text.count(before) != 1:
                sys.exit(f"mutants.py: mutant {name}: {file} has {text.count(before)} times\n{before}")
            text = text.replace(before, after.replace("ON", f'::fleetmark::simulation::IsMutated("{name}")'))
        target = output / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    table = "".join(f'    {{"{name}", "{meaning}"}},\n' for name, meaning, *_ in MUTANTS)
    (output / "mutant_table.h").write_text(f"constexpr Mutant kMutants[] = {{\n{table}}};\n")
    forgotten = {where for _, _, where, _, _ in MUTANTS + STAGED_MUTANTS} - set(sys.argv[3:])
    if forgotten:
        sys.exit(f"mutants.py: mutants of files that are not built: {sorted(forgotten)}")


if __name__ == "__main__":
    main()
