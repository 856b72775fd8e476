#include "agent/worker/fixed_batch.h"

#include "agent/worker/ceiling.h"
#include "agent/worker/training.h"

namespace fleetmark {

void FixedBatch::Step() {
  loss_ = TrainOnBatch([this] { return parts_.network->Forward(parts_.inputs, true); }, parts_.labels, parts_.dtype,
                       parts_.optimizer.get())
              .loss;
}

void FixedBatch::RecordMetrics(const LoopResult& loop, MetricRecorder* recorder) const {
  RecordFlops(loop, parts_.network->TrainingFlops() * static_cast<double>(samples()), parts_.inputs.device(),
              parts_.dtype, recorder);
  recorder->Record("loss", Loss());
  RecordParameterCounts(network(), recorder);
}

}  // namespace fleetmark
