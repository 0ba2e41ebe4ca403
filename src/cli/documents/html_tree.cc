#include "cli/documents/html_tree.h"

#include <csetjmp>
#include <cstdlib>

namespace akidb::cli {

// Every allocation of one parse, chained, so that the tree is freed without walking it (the
// library's own walk recurses) and the parse can be left when it asks for too much: the library
// does not check for failed allocations, so the only way out is a jump over its C frames.
class HtmlTree::Memory {
 public:
  explicit Memory(size_t bytes_max) : bytes_left_(bytes_max) {}
  ~Memory() {
    while (first_ != nullptr) {
      Header* next = first_->next;
      std::free(first_);
      first_ = next;
    }
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Null when the budget ran out.
  const GumboOutput* Parse(std::string_view html) {
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = &Memory::Allocate;
    options.deallocator = &Memory::Free;
    options.userdata = this;
    options.max_errors = 0;
    if (setjmp(out_of_budget_) != 0) return nullptr;
    return gumbo_parse_with_options(&options, html.data(), html.size());
  }

 private:
  struct alignas(std::max_align_t) Header {
    Header* next;
    Header* previous;
  };

  static void* Allocate(void* self, size_t bytes) {
    auto* memory = static_cast<Memory*>(self);
    size_t total = bytes + sizeof(Header);
    if (total < bytes || total > memory->bytes_left_) std::longjmp(memory->out_of_budget_, 1);
    void* raw = std::malloc(total);
    if (raw == nullptr) std::longjmp(memory->out_of_budget_, 1);
    memory->bytes_left_ -= total;
    auto* header = new (raw) Header{memory->first_, nullptr};
    if (header->next != nullptr) header->next->previous = header;
    memory->first_ = header;
    return header + 1;
  }

  // What is freed is not given back to the budget: that bounds the work as well as the memory.
  static void Free(void* self, void* pointer) {
    if (pointer == nullptr) return;
    auto* memory = static_cast<Memory*>(self);
    Header* header = static_cast<Header*>(pointer) - 1;
    if (header->next != nullptr) header->next->previous = header->previous;
    if (header->previous != nullptr) {
      header->previous->next = header->next;
    } else {
      memory->first_ = header->next;
    }
    std::free(header);
  }

  size_t bytes_left_;
  Header* first_ = nullptr;
  std::jmp_buf out_of_budget_;
};

HtmlTree::HtmlTree() = default;
HtmlTree::~HtmlTree() = default;

Result<std::unique_ptr<HtmlTree>> HtmlTree::Parse(std::string_view html) {
  constexpr size_t kBytesPerByte = 200;
  constexpr size_t kBytesAtLeast = size_t{16} << 20;
  std::unique_ptr<HtmlTree> tree(new HtmlTree());
  tree->memory_ = std::make_unique<Memory>(kBytesAtLeast + kBytesPerByte * html.size());
  const GumboOutput* output = tree->memory_->Parse(html);
  if (output == nullptr) {
    return TooLargeError("the HTML expands to a tree far larger than its text");
  }
  tree->root_ = output->root;
  return tree;
}

}  // namespace akidb::cli
