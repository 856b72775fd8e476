#include "common/log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "common/suggest.h"

namespace fleetmark {
namespace {

// spdlog's patterns cannot escape a message for JSON.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const nlohmann::ordered_json line = {
        {"time_unix_s", std::chrono::duration<double>(message.time.time_since_epoch()).count()},
        {"level", std::string(level.data(), level.size())},
        {"message", std::string(message.payload.data(), message.payload.size())}};
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

}  // namespace

Status InitialiseLog(const std::string& level, const std::string& format) {
  static const std::map<std::string, spdlog::level::level_enum> kLevels = {{"debug", spdlog::level::debug},
                                                                           {"info", spdlog::level::info},
                                                                           {"warn", spdlog::level::warn},
                                                                           {"error", spdlog::level::err}};
  const auto found = kLevels.find(level);
  if (found == kLevels.end()) {
    return InvalidArgument("--log-level " + level + " is not a level",
                           SuggestFrom(level, {"debug", "info", "warn", "error"}));
  }
  if (format != "text" && format != "json") {
    return InvalidArgument("--log-format " + format + " is not a format", SuggestFrom(format, {"text", "json"}));
  }
  auto logger = spdlog::stderr_color_mt("fleetmark");
  if (format == "json") {
    logger->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  }
  logger->set_level(found->second);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(logger);
  return OkStatus();
}

}  // namespace fleetmark
