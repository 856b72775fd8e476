# What makes building quick and programs small, used where it is installed; FLEETMARK_SANITIZE instruments everything.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

set(FLEETMARK_SANITIZE "" CACHE STRING "Sanitizers to build with: \"address,undefined\" or \"thread\"; preset fuzz has more")
if(FLEETMARK_SANITIZE)
  add_compile_options(-fsanitize=${FLEETMARK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FLEETMARK_SANITIZE})
endif()
set(FLEETMARK_FUZZ OFF)
if(FLEETMARK_SANITIZE MATCHES "fuzzer")
  set(FLEETMARK_FUZZ ON)  # for clang's libFuzzer: only tests/fuzz is built
endif()
