# fleetmark_test(NAME SOURCES a_test.cc ... LIBRARIES lib ... [PROPERTIES name value ...]): one GoogleTest program, each of
# its tests a ctest.
find_package(GTest REQUIRED)
include(GoogleTest)
function(fleetmark_test NAME)
  cmake_parse_arguments(TEST "" "" "SOURCES;LIBRARIES;PROPERTIES" ${ARGN})
  add_executable(${NAME} ${TEST_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${TEST_LIBRARIES} fleetmark_warnings GTest::gmock GTest::gtest_main)
  set_target_properties(${NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  gtest_discover_tests(${NAME} TEST_PREFIX "${NAME}." DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 ${TEST_PROPERTIES})
endfunction()
