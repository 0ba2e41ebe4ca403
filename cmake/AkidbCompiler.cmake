# Language level, warnings, sanitizers, linker and compiler cache: the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

option(AKIDB_BUILD_BENCHES "Build the micro benchmarks (*_bench.cc)" ON)
set(AKIDB_SANITIZE "" CACHE STRING "Sanitizers to compile with, for example address,undefined")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(AKIDB_CCACHE ccache)
if(AKIDB_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${AKIDB_CCACHE})
endif()
find_program(AKIDB_MOLD mold)
if(AKIDB_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Wvla -Werror
  # GoogleTest's macros hold an if of their own.
  -Wno-dangling-else
  # g++ 12 reports these falsely inside its own std::string and std::vector once inlined.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
  -fno-omit-frame-pointer)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-march=x86-64-v2)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  add_compile_options(-march=armv8-a+crc)
endif()

if(AKIDB_SANITIZE)
  add_compile_options(-fsanitize=${AKIDB_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AKIDB_SANITIZE})
endif()
