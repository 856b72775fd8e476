#pragma once

#include <string>
#include <string_view>

#include "fleetmark/v1/cli.pb.h"

namespace fleetmark {

// `text` from elsewhere as text of HTML, SVG and XML, in elements and in attributes. Control characters are taken out.
std::string EscapeHtml(std::string_view text);

// A chart as one <svg> element that is well-formed XML, with axes, units and a legend. Lines differ in colour and in
// dashes; where a value is unknown they have a gap. Colours come from the classes that kChartStyle defines. "" for a
// chart without a single known value.
std::string RenderSvg(const v1::ReportChart& chart);

// The CSS of it, with colours for light and for dark (Okabe and Ito's palette, which colour-blind readers tell apart).
extern const char kChartStyle[];

}  // namespace fleetmark
