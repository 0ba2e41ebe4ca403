#include "base/blocking_section.h"

namespace akidb {
namespace {

// What a thread is, and no state that anybody shares.
thread_local PlaceLender* current_lender = nullptr;

}  // namespace

void PlaceLender::SetCurrent(PlaceLender* lender) { current_lender = lender; }

bool BlockingSection::Enter() {
  if (current_lender == nullptr) return true;
  if (!current_lender->Lend()) return false;
  lender_ = current_lender;
  current_lender = nullptr;
  return true;
}

BlockingSection::~BlockingSection() {
  if (lender_ == nullptr) return;
  lender_->TakeBack();
  current_lender = lender_;
}

}  // namespace akidb
