#include "coordinator/cli/render/svg_chart.h"

#include <algorithm>
#include <cmath>

#include "coordinator/cli/render/axis.h"
#include "coordinator/cli/render/number.h"
#include "coordinator/cli/render/text.h"

namespace fleetmark {
namespace {

constexpr double kWidth = 720, kHeight = 250;
constexpr double kLeft = 78, kRight = 708, kTop = 38, kBottom = 206;
constexpr int kStyles = 3;       // of lines, in kChartStyle
constexpr int kFewPoints = 40;   // so many are drawn as points as well
constexpr double kLetter = 6.6;  // about how wide a letter of a legend is

std::string SvgNumber(double value) {
  std::string text = FormatFixed(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string TextAt(double x, double y, const char* style, std::string_view text) {
  return "<text x=\"" + SvgNumber(x) + "\" y=\"" + SvgNumber(y) + "\" class=\"" + style + "\">" + EscapeHtml(text) +
         "</text>";
}

std::string Segment(double x1, double y1, double x2, double y2, const std::string& style) {
  return "<line x1=\"" + SvgNumber(x1) + "\" y1=\"" + SvgNumber(y1) + "\" x2=\"" + SvgNumber(x2) + "\" y2=\"" +
         SvgNumber(y2) + "\" class=\"" + style + "\"/>";
}

struct Extent {
  double low = 0, high = 0;
  bool is_known = false;
  void Take(double value) {
    if (!std::isfinite(value)) return;
    low = is_known ? std::min(low, value) : value;
    high = is_known ? std::max(high, value) : value;
    is_known = true;
  }
};

class SvgChart {
 public:
  SvgChart(const v1::ReportChart& chart, const Extent& x, const Extent& y)
      : chart_(chart),
        x_(MakeAxis(x.low, x.high, 8, chart.counts() ? 1 : 0, false)),
        y_(MakeAxis(y.low, y.high, 5, 0, true)) {}

  std::string Render() {
    svg_ = "<svg viewBox=\"0 0 " + SvgNumber(kWidth) + " " + SvgNumber(kHeight) +
           "\" role=\"img\" class=\"chart\">\n<title>" + EscapeHtml(chart_.title()) + "</title>\n";
    for (const v1::ReportBand& band : chart_.bands()) AddBand(band);
    AddAxes();
    for (int i = 0; i < chart_.lines_size(); ++i) AddLine(chart_.lines(i), i % kStyles);
    for (int i = 0; i < chart_.marks_size(); ++i) AddMark(chart_.marks(i), i + 1);
    AddLegend();
    return svg_ + "</svg>\n";
  }

 private:
  double X(double value) const { return kLeft + std::clamp(x_.Place(value), 0.0, 1.0) * (kRight - kLeft); }
  double Y(double value) const { return kBottom - std::clamp(y_.Place(value), 0.0, 1.0) * (kBottom - kTop); }

  void AddBand(const v1::ReportBand& band) {
    if (!(band.until() > band.from())) return;
    const double from = X(band.from()), until = X(band.until());
    svg_ += "<rect x=\"" + SvgNumber(from) + "\" y=\"" + SvgNumber(kTop) + "\" width=\"" + SvgNumber(until - from) +
            "\" height=\"" + SvgNumber(kBottom - kTop) + "\" class=\"band\"><title>" + EscapeHtml(band.name()) +
            "</title></rect>\n";
    svg_ += TextAt(from, kTop - 5, "label", band.name()) + "\n";
  }

  void AddAxes() {
    for (const double tick : y_.ticks) {
      svg_ +=
          Segment(kLeft, Y(tick), kRight, Y(tick), "grid") + TextAt(kLeft - 6, Y(tick) + 4, "label end", y_.Text(tick));
    }
    svg_ += "\n";
    for (const double tick : x_.ticks) {
      svg_ += Segment(X(tick), kBottom, X(tick), kBottom + 4, "axis") +
              TextAt(X(tick), kBottom + 17, "label middle", x_.Text(tick));
    }
    svg_ += "\n" + Segment(kLeft, kBottom, kRight, kBottom, "axis") + "\n";
    svg_ += TextAt((kLeft + kRight) / 2, kHeight - 10, "label middle", chart_.x_title()) + "\n";
    svg_ += "<text transform=\"translate(14 " + SvgNumber((kTop + kBottom) / 2) +
            ") rotate(-90)\" class=\"label middle\">" + EscapeHtml(chart_.y_title()) + "</text>\n";
  }

  void AddLine(const v1::ReportLine& line, int style) {
    std::string path, points;
    bool is_drawing = false;
    const int count = std::min(line.x_size(), line.y_size());
    for (int i = 0; i < count; ++i) {
      const bool is_known = std::isfinite(line.x(i)) && std::isfinite(line.y(i));
      if (is_known) {
        const std::string place = SvgNumber(X(line.x(i))) + " " + SvgNumber(Y(line.y(i)));
        // The stroke without length makes a value between two gaps a dot.
        path += is_drawing ? "L" + place : "M" + place + "h0";
        if (count <= kFewPoints) {
          points += "<circle cx=\"" + SvgNumber(X(line.x(i))) + "\" cy=\"" + SvgNumber(Y(line.y(i))) +
                    "\" r=\"2.5\" class=\"dot d" + std::to_string(style) + "\"><title>" + EscapeHtml(line.name()) +
                    ": " + FormatNumber(line.y(i)) + "</title></circle>";
        }
      }
      is_drawing = is_known;
    }
    svg_ += "<path d=\"" + path + "\" class=\"line l" + std::to_string(style) + "\"/>" + points + "\n";
  }

  void AddMark(const v1::ReportMark& mark, int number) {
    if (x_.Place(mark.x()) < 0 || x_.Place(mark.x()) > 1) return;
    const double x = X(mark.x());
    svg_ += "<g><title>" + EscapeHtml(mark.name()) + "</title>" + Segment(x, kTop, x, kBottom, "mark") +
            TextAt(x + 4, kBottom - 6, "label", std::to_string(number)) + "</g>\n";
  }

  void AddLegend() {
    double x = kLeft;
    for (int i = 0; i < chart_.lines_size(); ++i) {
      svg_ += Segment(x, 10, x + 26, 10, "line l" + std::to_string(i % kStyles)) +
              TextAt(x + 32, 14, "label", chart_.lines(i).name()) + "\n";
      x += 32 + kLetter * DisplayWidth(chart_.lines(i).name()) + 20;
    }
  }

  const v1::ReportChart& chart_;
  const Axis x_, y_;
  std::string svg_;
};

}  // namespace

const char kChartStyle[] = R"(
:root { --c0: #0072b2; --c1: #d55e00; --c2: #007a5a; --band: #00000012; --grid: #00000022; --axis: #555; }
@media (prefers-color-scheme: dark) {
  :root { --c0: #56b4e9; --c1: #e69f00; --c2: #2fc9a0; --band: #ffffff14; --grid: #ffffff22; --axis: #aaa; }
}
.chart { width: 100%; max-width: 760px; height: auto; display: block; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.l0 { stroke: var(--c0); } .l1 { stroke: var(--c1); stroke-dasharray: 7 4; } .l2 { stroke: var(--c2); stroke-dasharray: 1.5 4; }
.d0 { fill: var(--c0); } .d1 { fill: var(--c1); } .d2 { fill: var(--c2); }
.band { fill: var(--band); } .grid { stroke: var(--grid); } .axis { stroke: var(--axis); }
.mark { stroke: var(--axis); stroke-width: 1.2; stroke-dasharray: 4 3; }
.label { fill: currentColor; font-size: 11.5px; } .middle { text-anchor: middle; } .end { text-anchor: end; }
)";

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string RenderSvg(const v1::ReportChart& chart) {
  Extent x, y;
  for (const v1::ReportLine& line : chart.lines()) {
    for (int i = 0; i < std::min(line.x_size(), line.y_size()); ++i) {
      if (!std::isfinite(line.y(i))) continue;
      x.Take(line.x(i));
      y.Take(line.y(i));
    }
  }
  if (!x.is_known) return "";
  // Bands belong to the picture as well: what was left out has no values.
  for (const v1::ReportBand& band : chart.bands()) {
    x.Take(band.from());
    x.Take(band.until());
  }
  if (chart.from_zero()) y.Take(0);
  return SvgChart(chart, x, y).Render();
}

}  // namespace fleetmark
