#include "coordinator/cli/render/facts.h"

#include <algorithm>

#include "coordinator/cli/render/text.h"

namespace fleetmark {

void Facts::Add(const std::string& name, const std::string& value, Style style) {
  if (!value.empty()) rows_.push_back({name, Cell(Printable(value), style)});
}

std::string Facts::Render(const Terminal& terminal) const {
  int name_width = 0;
  for (const auto& [name, cell] : rows_) name_width = std::max(name_width, DisplayWidth(name));
  std::string text;
  for (const auto& [name, cell] : rows_) {
    const std::string pad(static_cast<size_t>(name_width - DisplayWidth(name) + 2), ' ');
    const int indent = name_width + 2;
    // Wrapped with the name in front, so that every line knows where it starts.
    const std::string wrapped = Wrap(std::string(static_cast<size_t>(indent), '.') + cell.text, terminal.width, indent);
    text += Paint(name, Style::kDim, terminal) + pad +
            Paint(wrapped.substr(static_cast<size_t>(indent)), cell.style, terminal) + "\n";
  }
  return text;
}

std::string Section(const std::string& title, const std::string& body, const Terminal& terminal) {
  return body.empty() ? "" : "\n" + Paint(title, Style::kBold, terminal) + "\n" + body;
}

}  // namespace fleetmark
