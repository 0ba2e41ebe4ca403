#include "embedding/tokenizer/score_json.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include <simdjson.h>

namespace akidb::embedding {
namespace {

constexpr int kPowerMax = 308;  // of ten, in a double

// Reads digits into `significand` until one doesn't fit. The number of those that were left out.
int ReadDigits(std::string_view& number, uint64_t& significand, int& taken) {
  int left_out = 0;
  taken = 0;
  while (!number.empty() && number[0] >= '0' && number[0] <= '9') {
    auto digit = static_cast<uint64_t>(number[0] - '0');
    bool fits = left_out == 0 && significand <= (std::numeric_limits<uint64_t>::max() - digit) / 10;
    if (fits) {
      significand = significand * 10 + digit;
      ++taken;
    } else {
      ++left_out;
    }
    number.remove_prefix(1);
  }
  return left_out;
}

// 1e`power`, rounded once.
double PowerOfTen(int power) { return std::stod("1e" + std::to_string(power)); }

double Scale(double value, int power) {
  if (power >= 0) return value * PowerOfTen(std::min(power, kPowerMax));
  for (; power < -kPowerMax && value != 0; power += kPowerMax) value /= PowerOfTen(kPowerMax);
  return value / PowerOfTen(std::min(-power, kPowerMax));
}

}  // namespace

double ReadScore(std::string_view number) {
  bool is_negative = number.starts_with('-');
  if (is_negative) number.remove_prefix(1);
  uint64_t significand = 0;
  int taken = 0;
  int power = ReadDigits(number, significand, taken);
  if (number.starts_with('.')) {
    number.remove_prefix(1);
    // Behind an integer part that overflows, no digit counts any more.
    bool is_full = power > 0;
    uint64_t before = significand;
    ReadDigits(number, significand, taken);
    if (is_full) significand = before;
    power -= is_full ? 0 : taken;
  }
  if (number.starts_with('e') || number.starts_with('E')) {
    constexpr int kExponentMax = 100'000;
    number.remove_prefix(1);
    bool is_small = number.starts_with('-');
    if (is_small || number.starts_with('+')) number.remove_prefix(1);
    int exponent = 0;
    for (char digit : number) exponent = std::min(exponent * 10 + (digit - '0'), kExponentMax);
    power += is_small ? -exponent : exponent;
  }
  double value = Scale(static_cast<double>(significand), power);
  return is_negative ? -value : value;
}

Result<std::vector<double>> ReadScores(std::string_view json) {
  std::vector<double> scores;
  simdjson::ondemand::parser parser;
  simdjson::padded_string padded(json);
  simdjson::ondemand::document document;
  simdjson::ondemand::array vocabulary;
  auto error = parser.iterate(padded).get(document);
  if (error == simdjson::SUCCESS) error = document["model"]["vocab"].get(vocabulary);
  if (error != simdjson::SUCCESS) {
    return MalformedError(std::string("tokenizer.model.vocab: ") + simdjson::error_message(error));
  }
  for (auto element : vocabulary) {
    std::string_view number;
    size_t index = 0;
    simdjson::ondemand::array entry;
    if (element.get(entry) != simdjson::SUCCESS) {
      scores.push_back(0);
      continue;
    }
    for (auto member : entry) {
      simdjson::ondemand::value value;
      if (member.get(value) != simdjson::SUCCESS) break;
      if (index++ == 1) number = value.raw_json_token();
    }
    while (!number.empty() &&
           std::string_view(" \t\r\n").find(number.back()) != std::string_view::npos) {
      number.remove_suffix(1);
    }
    scores.push_back(ReadScore(number));
  }
  return scores;
}

}  // namespace akidb::embedding
