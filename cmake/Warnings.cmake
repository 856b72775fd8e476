# Warnings are errors in our own code; generated code and third-party headers are exempt. Members with defaults may be left
# out of a designated initialiser, so that warning is off.
add_library(fleetmark_warnings INTERFACE)
target_compile_options(fleetmark_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                                    -Wno-missing-field-initializers -Wnon-virtual-dtor
                                                    -Werror)
# GCC 12 warns of std::string's own operator+ when it optimises (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(fleetmark_warnings INTERFACE -Wno-restrict)
endif()
