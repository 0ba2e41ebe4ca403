# akidb_module(PATH
#   SOURCES file.cc…        the library
#   DEPENDS module…         AkiDB modules, by path ("base", "storage/wal"): public, checked by tidy
#   THIRD_PARTY target…     libraries from outside, private to this module
#   TESTS file_test.cc…     one test program for the module
#   TEST_DEPENDS module…    modules that only the tests use
#   BENCHES file_bench.cc…) one benchmark program for the module
#
# A module is a folder under src/ with a README.md. Headers are included by their path from src/,
# for example "storage/wal/log_writer.h".
function(akidb_module path)
  cmake_parse_arguments(M "" "" "SOURCES;DEPENDS;THIRD_PARTY;TESTS;TEST_DEPENDS;BENCHES" ${ARGN})
  if(M_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "akidb_module(${path}): unknown arguments ${M_UNPARSED_ARGUMENTS}")
  endif()
  string(REPLACE "/" "_" name ${path})
  set(target akidb_${name})

  if(M_SOURCES)
    set(scope PUBLIC)
    set(private PRIVATE)
    add_library(${target} STATIC ${M_SOURCES})
  else()
    set(scope INTERFACE)
    set(private INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR}/src)
  foreach(dependency ${M_DEPENDS})
    string(REPLACE "/" "_" dependency ${dependency})
    target_link_libraries(${target} ${scope} akidb_${dependency})
  endforeach()
  target_link_libraries(${target} ${private} ${M_THIRD_PARTY} Threads::Threads)

  if(BUILD_TESTING AND M_TESTS)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE ${target} ${M_THIRD_PARTY} GTest::gmock
                                               GTest::gtest_main)
    # Compiles in two thirds of the time; what is tested is the library, as it ships.
    target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
    akidb_link_modules(${name}_test ${M_TEST_DEPENDS})
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}: DISCOVERY_MODE PRE_TEST
                         PROPERTIES TIMEOUT 300)
  endif()
  if(AKIDB_BUILD_BENCHES AND M_BENCHES)
    add_executable(${name}_bench ${M_BENCHES})
    target_link_libraries(${name}_bench PRIVATE ${target} ${M_THIRD_PARTY} benchmark::benchmark_main)
    akidb_link_modules(${name}_bench ${M_TEST_DEPENDS})
  endif()
endfunction()

function(akidb_link_modules target)
  foreach(dependency ${ARGN})
    string(REPLACE "/" "_" dependency ${dependency})
    target_link_libraries(${target} PRIVATE akidb_${dependency})
  endforeach()
endfunction()

if(BUILD_TESTING)
  include(GoogleTest)
endif()
