#include "embedding/gpu_facts.h"

#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "env/shared_library.h"
#include "env/system_file.h"

namespace akidb::embedding {
namespace {

// Of cuda.h, whose functions return 0 for success.
constexpr int kAttributeIntegrated = 18;
constexpr int kAttributeMajor = 75;
constexpr int kAttributeMinor = 76;
constexpr size_t kNameBytes = 256;
constexpr int kDevicesMax = 64;

constexpr std::array<const char*, 2> kCudaNames = {"libcuda.so.1", "libcuda.so"};
constexpr std::array<const char*, 4> kTensorRtNames = {"libnvinfer.so", "libnvinfer.so.11",
                                                       "libnvinfer.so.10", "libnvinfer.so.8"};

struct CudaDriver {
  explicit CudaDriver(const env::SharedLibrary& library)
      : init(library.Find<int(unsigned)>("cuInit")),
        version(library.Find<int(int*)>("cuDriverGetVersion")),
        count(library.Find<int(int*)>("cuDeviceGetCount")),
        get(library.Find<int(int*, int)>("cuDeviceGet")),
        name(library.Find<int(char*, int, int)>("cuDeviceGetName")),
        memory(library.Find<int(size_t*, int)>("cuDeviceTotalMem_v2")),
        attribute(library.Find<int(int*, int, int)>("cuDeviceGetAttribute")) {}

  bool complete() const {
    return init != nullptr && version != nullptr && count != nullptr && get != nullptr &&
           name != nullptr && memory != nullptr && attribute != nullptr;
  }

  int (*init)(unsigned);
  int (*version)(int*);
  int (*count)(int*);
  int (*get)(int* device, int ordinal);
  int (*name)(char*, int bytes, int device);
  int (*memory)(size_t* bytes, int device);
  int (*attribute)(int* value, int which, int device);
};

// False when the library doesn't tell one of the facts.
bool Describe(const CudaDriver& cuda, int ordinal, GpuDevice& found) {
  int device = 0;
  if (cuda.get(&device, ordinal) != 0) return false;
  std::array<char, kNameBytes> name{};
  size_t bytes = 0;
  int major = 0;
  int minor = 0;
  int integrated = 0;
  const bool told = cuda.name(name.data(), static_cast<int>(name.size() - 1), device) == 0 &&
                    cuda.memory(&bytes, device) == 0 &&
                    cuda.attribute(&major, kAttributeMajor, device) == 0 &&
                    cuda.attribute(&minor, kAttributeMinor, device) == 0 &&
                    cuda.attribute(&integrated, kAttributeIntegrated, device) == 0;
  if (!told) return false;
  found.name = name.data();
  found.compute_capability = std::to_string(major) + "." + std::to_string(minor);
  found.memory_bytes = bytes;
  found.integrated = integrated != 0;
  return true;
}

bool IsVersion(std::string_view word) {
  return word.find('.') != word.npos && word.find_first_not_of("0123456789.") == word.npos &&
         std::isdigit(static_cast<unsigned char>(word.front())) != 0;
}

}  // namespace

std::string KernelDriver(std::string_view version) {
  for (size_t at = 0; at < version.size();) {
    size_t end = version.find_first_of(" \t\n", at);
    if (end == version.npos) end = version.size();
    if (end > at && IsVersion(version.substr(at, end - at))) {
      return std::string(version.substr(at, end - at));
    }
    at = end + 1;
  }
  return "";
}

std::string CudaVersionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string TensorRtVersionText(int version) {
  if (version <= 0) return "";
  // From 10 on, major is the ten thousands; before it, the thousands.
  constexpr int kNewForm = 100'000;
  const int unit = version >= kNewForm ? 10'000 : 1'000;
  return std::to_string(version / unit) + "." + std::to_string(version % unit / 100) + "." +
         std::to_string(version % 100);
}

namespace {

void AskCuda(GpuFacts& facts) {
  const std::optional<env::SharedLibrary> library = env::SharedLibrary::Open(kCudaNames);
  if (!library) {
    facts.cuda_problem = "libcuda.so.1 can't be opened";
    return;
  }
  const CudaDriver cuda(*library);
  if (!cuda.complete()) {
    facts.cuda_problem = library->name() + " lacks functions of CUDA's driver API";
    return;
  }
  int version = 0;
  if (cuda.version(&version) == 0) facts.cuda_version = CudaVersionText(version);
  if (const int error = cuda.init(0); error != 0) {
    facts.cuda_problem = "cuInit failed with CUDA error " + std::to_string(error);
    return;
  }
  int count = 0;
  if (const int error = cuda.count(&count); error != 0) {
    facts.cuda_problem = "cuDeviceGetCount failed with CUDA error " + std::to_string(error);
    return;
  }
  for (int i = 0; i < count && i < kDevicesMax; ++i) {
    GpuDevice device;
    if (Describe(cuda, i, device)) {
      facts.devices.push_back(std::move(device));
    } else {
      facts.cuda_problem = "device " + std::to_string(i) + " doesn't describe itself";
    }
  }
  if (count == 0) facts.cuda_problem = library->name() + " names no device";
}

void AskTensorRt(GpuFacts& facts) {
  const std::optional<env::SharedLibrary> library = env::SharedLibrary::Open(kTensorRtNames);
  if (!library) return;
  if (auto* version = library->Find<int32_t()>("getInferLibVersion")) {
    facts.tensorrt_version = TensorRtVersionText(version());
  }
}

}  // namespace

GpuFacts LookAtGpus(env::FileSystem& fs) {
  GpuFacts facts;
  facts.kernel_driver = KernelDriver(env::ReadSystemFile(fs, "/proc/driver/nvidia/version"));
  AskCuda(facts);
  AskTensorRt(facts);
  return facts;
}

}  // namespace akidb::embedding
