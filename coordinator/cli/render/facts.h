#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coordinator/cli/render/table.h"
#include "coordinator/cli/render/terminal.h"

namespace fleetmark {

// Lines of "name  value" with aligned values; those without a value are left out.
class Facts {
 public:
  void Add(const std::string& name, const std::string& value, Style style = Style::kPlain);
  std::string Render(const Terminal& terminal) const;

 private:
  std::vector<std::pair<std::string, Cell>> rows_;
};

// `body` under its title and below an empty line; "" where there is none.
std::string Section(const std::string& title, const std::string& body, const Terminal& terminal);

}  // namespace fleetmark
