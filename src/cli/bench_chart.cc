#include "cli/bench_chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "cli/bench_report.h"

namespace akidb::cli {
namespace {

constexpr double kWidthMin = 900, kLeft = 84, kRight = 640, kTop = 76, kBottom = 460;
constexpr double kLegendLeft = 664, kLegendStep = 24, kLetterWidth = 8;
constexpr double kRecallMin = 0.5;
constexpr double kRecallTicks[] = {0.5,  0.6,   0.7,   0.8,   0.9,    0.95,   0.98,
                                   0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1};

// By Okabe and Ito, "Color Universal Design": told apart by the colour-blind, too.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f"};
// About (0, 0), filled.
constexpr const char* kMarkers[] = {"M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0Z",
                                    "M-4-4H4V4H-4Z",
                                    "M0-5.4L5.2 4.2H-5.2Z",
                                    "M0-5.8L5.8 0L0 5.8L-5.8 0Z",
                                    "M0 5.4L5.2-4.2H-5.2Z",
                                    "M-5-1.6H-1.6V-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5Z"};

constexpr char kStyle[] =
    "<style>.g{fill:#fff}.t{fill:#1d2733}.s{fill:#5a6673;font-size:13px}"
    ".r{stroke:#d5dbe1;stroke-width:1}.f{fill:none;stroke:#8a96a3;stroke-width:1}"
    ".l{fill:none;stroke-width:2}.o{stroke-width:3.2}"
    "@media (prefers-color-scheme:dark){.g{fill:#14191f}.t{fill:#e6ebf0}.s{fill:#a3afbb}"
    ".r{stroke:#333d47}.f{stroke:#66727e}}</style>\n";

std::string Escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // Control characters are no XML.
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

// Where a value is drawn, by its logarithm.
struct Scale {
  double from = 0, to = 1;      // logarithms
  double begin = 0, end = 100;  // of the picture

  double At(double logarithm) const {
    const double share = (logarithm - from) / (to - from);
    return begin + std::clamp(share, 0.0, 1.0) * (end - begin);
  }
};

class Chart {
 public:
  Chart(const std::vector<BenchSeries>& series, const ChartText& text)
      : series_(series), text_(text), by_cpu_(AllHaveCpuSpeeds(series)) {
    double least_miss = 0.5, recall_min = 1;
    double slowest = 1e300, fastest = 0;
    for (const BenchSeries& one : series) {
      for (const SweepPoint& point : one.points) {
        if (!Shown(point)) continue;
        if (point.recall < 1) least_miss = std::min(least_miss, 1 - point.recall);
        recall_min = std::min(recall_min, point.recall);
        slowest = std::min(slowest, SpeedOf(point));
        fastest = std::max(fastest, SpeedOf(point));
      }
    }
    if (fastest == 0) slowest = fastest = 1;
    // All found is drawn half as far from 1 as the best that is not.
    miss_floor_ = std::max(least_miss, 1e-5) / 2;
    recall_ = {-std::log10(1 - std::min(recall_min, 0.98)) - 0.02, -std::log10(miss_floor_), kLeft,
               kRight};
    speed_ = {std::log10(slowest) - 0.08, std::log10(fastest) + 0.08, kBottom, kTop};
  }

  std::string Draw() {
    const double height =
        std::max(530.0, kTop + kLegendStep * static_cast<double>(series_.size()) + 20);
    // As far as the longest name goes, in letters of a usual width.
    size_t letters = 0;
    for (const BenchSeries& one : series_) letters = std::max(letters, one.name.size());
    const double width =
        std::max(kWidthMin, kLegendLeft + 60 + kLetterWidth * static_cast<double>(letters));
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" font-family=\"system-ui,'DejaVu Sans',sans-serif\" font-size=\"14\">\n",
        width, height);
    out_ += fmt::format("<title>{}</title>\n", Escaped(text_.title));
    out_ += kStyle;
    out_ += fmt::format("<rect class=\"g\" width=\"{}\" height=\"{}\"/>\n", width, height);
    out_ += fmt::format(
        "<text class=\"t\" x=\"24\" y=\"32\" font-size=\"18\" "
        "font-weight=\"600\">{}</text>\n<text class=\"s\" x=\"24\" y=\"54\">{}</text>\n",
        Escaped(text_.title), Escaped(text_.subtitle));
    DrawRecallAxis();
    DrawSpeedAxis();
    out_ += fmt::format("<path class=\"f\" d=\"M{} {}V{}H{}\"/>\n", kLeft, kTop, kBottom, kRight);
    // The first one lies above the others.
    for (size_t i = series_.size(); i-- > 0;) DrawSeries(i);
    return std::move(out_) + "</svg>\n";
  }

 private:
  double SpeedOf(const SweepPoint& point) const {
    if (by_cpu_ || point.per_second <= 0) return point.per_cpu_second;
    return point.per_second;
  }
  static bool Shown(const SweepPoint& point) { return point.recall >= kRecallMin; }
  double X(double recall) const {
    return recall_.At(-std::log10(std::max(1 - recall, miss_floor_)));
  }

  void Label(double x, double y, const std::string& label, const char* anchor) {
    out_ +=
        fmt::format("<text class=\"s\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x,
                    y, anchor, label);
  }

  void DrawRecallAxis() {
    double last = -1e9;
    for (double tick : kRecallTicks) {
      const double place = -std::log10(std::max(1 - tick, miss_floor_));
      if (place < recall_.from || place > recall_.to || X(tick) < last + 38) continue;
      if (tick < 1 && X(tick) > kRight - 30) continue;  // there 1 stands
      last = X(tick);
      out_ += fmt::format("<path class=\"r\" d=\"M{:.1f} {}V{}\"/>\n", last, kTop, kBottom);
      Label(last, kBottom + 20, fmt::format("{}", tick), "middle");
    }
    Label((kLeft + kRight) / 2, kBottom + 46,
          fmt::format("recall@{}, further right is better", text_.k), "middle");
  }

  void DrawSpeedAxis() {
    for (int power = -2; power < 9; ++power) {
      for (double digit : {1, 2, 5}) {
        const double place = std::log10(digit) + power;
        if (place < speed_.from || place > speed_.to) continue;
        const double y = speed_.At(place);
        out_ += fmt::format("<path class=\"r\" d=\"M{} {:.1f}H{}\"/>\n", kLeft, y, kRight);
        const double speed = std::pow(10, place);
        Label(kLeft - 10, y + 4.5, speed < 1 ? fmt::format("{:.2g}", speed) : Grouped(speed),
              "end");
      }
    }
    out_ += fmt::format(
        "<text class=\"s\" transform=\"translate(20 {}) rotate(-90)\" "
        "text-anchor=\"middle\">queries per second{}, higher is better</text>\n",
        (kTop + kBottom) / 2, by_cpu_ ? " of processor time" : "");
  }

  void DrawSeries(size_t i) {
    const char* colour = kColours[i % std::size(kColours)];
    const char* marker = kMarkers[i % std::size(kMarkers)];
    std::string line;
    std::string marks;
    for (const SweepPoint& point : series_[i].points) {
      if (!Shown(point)) continue;
      const double x = X(point.recall);
      const double y = speed_.At(std::log10(SpeedOf(point)));
      line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x, y);
      marks += fmt::format("<path transform=\"translate({:.1f} {:.1f})\" d=\"{}\"/>", x, y, marker);
    }
    const double legend = kTop + 8 + kLegendStep * static_cast<double>(i);
    line += fmt::format("M{} {}h30", kLegendLeft, legend);
    marks += fmt::format("<path transform=\"translate({} {})\" d=\"{}\"/>", kLegendLeft + 15,
                         legend, marker);
    out_ += fmt::format("<path class=\"l{}\" stroke=\"{}\" d=\"{}\"/>\n<g fill=\"{}\">{}</g>\n",
                        i == 0 ? " o" : "", colour, line, colour, marks);
    out_ += fmt::format("<text class=\"t\" x=\"{}\" y=\"{:.1f}\"{}>{}</text>\n", kLegendLeft + 40,
                        legend + 5, i == 0 ? " font-weight=\"600\"" : "", Escaped(series_[i].name));
  }

  const std::vector<BenchSeries>& series_;
  const ChartText& text_;
  const bool by_cpu_;
  double miss_floor_ = 0;
  Scale recall_;
  Scale speed_;
  std::string out_;
};

}  // namespace

std::string DrawChart(const std::vector<BenchSeries>& series, const ChartText& text) {
  return Chart(series, text).Draw();
}

}  // namespace akidb::cli
