# Writes <build>/generated/build_info_values.h: version, git revision, build type, compiler. The file changes only when
# a value does, so that a build without changes compiles nothing.
find_package(Git QUIET)
set(FLEETMARK_GIT_REVISION "unknown")
if(Git_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} describe --always --dirty --abbrev=12
                  OUTPUT_VARIABLE FLEETMARK_GIT_DESCRIBE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                  RESULT_VARIABLE FLEETMARK_GIT_RESULT)
  if(FLEETMARK_GIT_RESULT EQUAL 0)
    set(FLEETMARK_GIT_REVISION ${FLEETMARK_GIT_DESCRIBE})
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/.git/HEAD
                                                                 ${CMAKE_SOURCE_DIR}/.git/index)
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/build_info_values.h.in ${CMAKE_BINARY_DIR}/generated/build_info_values.h @ONLY)
