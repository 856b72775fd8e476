# Writes <build>/generated/build_info_values.h at each build: version, git revision, build type, compiler. The file changes
# only when a value does, so that a build without changes compiles nothing. Included, it declares the target
# build_info_values; as a script (cmake -P) it is what that target runs.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(VALUES)
  foreach(VALUE PROJECT_VERSION CMAKE_BUILD_TYPE CMAKE_CXX_COMPILER_ID CMAKE_CXX_COMPILER_VERSION CMAKE_SOURCE_DIR
                CMAKE_BINARY_DIR)
    list(APPEND VALUES "-DINFO_${VALUE}=${${VALUE}}")
  endforeach()
  add_custom_target(build_info_values
    COMMAND ${CMAKE_COMMAND} ${VALUES} -P ${CMAKE_CURRENT_LIST_FILE}
    BYPRODUCTS ${CMAKE_BINARY_DIR}/generated/build_info_values.h
    COMMENT "Reading the git revision" VERBATIM)
  return()
endif()

set(INFO_GIT_REVISION "unknown")
find_program(GIT_EXECUTABLE git)
if(GIT_EXECUTABLE)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${INFO_CMAKE_SOURCE_DIR} describe --always --dirty --abbrev=12
                  OUTPUT_VARIABLE DESCRIPTION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE RESULT)
  if(RESULT EQUAL 0)
    set(INFO_GIT_REVISION ${DESCRIPTION})
  endif()
endif()
configure_file(${INFO_CMAKE_SOURCE_DIR}/cmake/build_info_values.h.in
               ${INFO_CMAKE_BINARY_DIR}/generated/build_info_values.h @ONLY)
