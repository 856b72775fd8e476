find_package(GTest REQUIRED)
include(GoogleTest)
set(FLEETMARK_TESTS_LEFT_OUT "" CACHE STRING "Unit test programs that are not built: a regular expression of their names")
add_custom_target(unit_tests)
add_custom_target(daemon_unit_tests)  # those of them that are not the command line's

# How test code is compiled: optimising it, or checking it for undefined behaviour, takes longer than running it.
# Parsing GoogleTest's and the protocol's headers takes longer than the rest: the programs of one FLEETMARK_TEST_HEADERS
# share them precompiled.
function(fleetmark_test_options NAME)
  target_compile_options(${NAME} PRIVATE -O0)
  if(FLEETMARK_SANITIZE)
    target_compile_options(${NAME} PRIVATE -fno-sanitize=undefined)
  endif()
  if(FLEETMARK_TEST_HEADERS)
    target_precompile_headers(${NAME} REUSE_FROM ${FLEETMARK_TEST_HEADERS})
  endif()
endfunction()

# fleetmark_test_library(NAME SOURCES a.cc ... LIBRARIES lib ...): what several test programs share.
function(fleetmark_test_library NAME)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${NAME} STATIC EXCLUDE_FROM_ALL ${TEST_SOURCES})
  target_link_libraries(${NAME} PUBLIC ${TEST_LIBRARIES} GTest::gmock GTest::gtest PRIVATE fleetmark_warnings)
  fleetmark_test_options(${NAME})
endfunction()

# fleetmark_test(NAME SOURCES a_test.cc ... LIBRARIES lib ... [PROPERTIES name value ...]): one GoogleTest program, each of
# its tests a ctest.
function(fleetmark_test NAME)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES;PROPERTIES" ${ARGN})
  add_executable(${NAME} ${TEST_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${TEST_LIBRARIES} fleetmark_warnings GTest::gmock GTest::gtest_main)
  fleetmark_test_options(${NAME})
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(FLEETMARK_TESTS_LEFT_OUT AND NAME MATCHES "${FLEETMARK_TESTS_LEFT_OUT}")
    set_target_properties(${NAME} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  add_dependencies(unit_tests ${NAME})
  if(NOT NAME MATCHES "^cli_")
    add_dependencies(daemon_unit_tests ${NAME})
  endif()
  gtest_discover_tests(${NAME} TEST_PREFIX "${NAME}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 ${TEST_PROPERTIES})
endfunction()
