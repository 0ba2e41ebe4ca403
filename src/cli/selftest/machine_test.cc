#include "cli/selftest/machine.h"

#include <gtest/gtest.h>

#include "env/simulated_file_system.h"

namespace akidb::cli {
namespace {

TEST(ProcessorName, IsTheModelsOrThePartsName) {
  EXPECT_EQ(ProcessorName("processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763\n"),
            "AMD EPYC 7763");
  EXPECT_EQ(ProcessorName("CPU implementer\t: 0x41\nCPU part\t: 0xd83\n"), "Arm Neoverse-V3AE");
  EXPECT_EQ(ProcessorName("CPU implementer\t: 0x41\nCPU part\t: 0xd42\n"), "Arm Cortex-A78AE");
  EXPECT_EQ(ProcessorName("CPU implementer\t: 0x4e\nCPU part\t: 0x004\n"),
            "Arm, implementer 0x4e, part 0x004");
  EXPECT_EQ(ProcessorName("no colon"), "");
  EXPECT_EQ(ProcessorName(""), "");
}

TEST(CacheBytes, ReadsWhatTheKernelWrites) {
  EXPECT_EQ(CacheBytes("36608K\n"), uint64_t{36608} << 10);
  EXPECT_EQ(CacheBytes("2M"), uint64_t{2} << 20);
  EXPECT_EQ(CacheBytes("512"), 512u);
  EXPECT_EQ(CacheBytes("lots"), 0u);
  EXPECT_EQ(CacheBytes("1Q"), 0u);
  EXPECT_EQ(CacheBytes(""), 0u);
}

TEST(JetsonLinux, IsReleaseAndRevision) {
  EXPECT_EQ(JetsonLinux("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: "
                        "aarch64, DATE: Wed\n# KERNEL_VARIANT: oot\n"),
            "R36, revision 4.3");
  EXPECT_EQ(JetsonLinux("# R38, x\nREVISION: 9"), "R38");
  EXPECT_EQ(JetsonLinux("something else, REVISION: 4"), "");
  EXPECT_EQ(JetsonLinux("#"), "");
  EXPECT_EQ(JetsonLinux(""), "");
}

TEST(Machine, SaysNothingWhereTheSystemSaysNothing) {
  env::SimulatedFileSystem nothing(1);
  const MachineFacts facts = LookAtMachine(nothing);
  EXPECT_EQ(facts.processor.name, "");
  EXPECT_EQ(facts.processor.largest_cache_bytes, 0u);
  EXPECT_EQ(facts.memory_bytes, 0u);
  EXPECT_EQ(facts.gpu.kernel_driver, "");
  EXPECT_EQ(facts.gpu.jetson_linux, "");
  EXPECT_GE(facts.processor.physical, 1u);
  // The library is the system's own: it names devices, or there is a reason why not.
  EXPECT_NE(facts.gpu.devices.empty(), facts.gpu.cuda_problem.empty());
}

TEST(Machine, IsWhatItsFilesSay) {
  const std::unique_ptr<env::FileSystem> fs = env::MakePosixFileSystem();
  const MachineFacts facts = LookAtMachine(*fs);
  EXPECT_FALSE(facts.processor.simd.empty());
  EXPECT_GT(facts.memory_bytes, facts.available_bytes);
  EXPECT_LE(facts.processor.physical, facts.processor.logical);
}

}  // namespace
}  // namespace akidb::cli
