# Finds LibTorch without torch's own package configuration, which wants a CUDA toolkit at configure time even to build
# programs that need none. FLEETMARK_TORCH says where:
#   auto    the private virtual environment that deploy/quickstart.sh makes if it is there, else Debian's package, else none
#   pip     that environment: <source>/build/torch-venv
#   apt     Debian's libtorch-dev
#   PATH    an unpacked LibTorch, a Python virtual environment, or a site-packages/torch directory
#   none    no LibTorch: everything but the worker is built
# Sets LibTorch_FOUND, LibTorch_VERSION, LibTorch_ROOT and, if found, the target LibTorch::LibTorch.
set(FLEETMARK_TORCH "auto" CACHE STRING "LibTorch: auto, pip, apt, none, or a path")
set(LIBTORCH_VENV ${CMAKE_SOURCE_DIR}/build/torch-venv)

# Where `path` holds a LibTorch: the directory with include/torch and lib/libtorch.so.
function(libtorch_resolve path result)
  file(GLOB candidates ${path} ${path}/lib/python3*/site-packages/torch ${path}/torch)
  foreach(candidate ${candidates})
    if(EXISTS ${candidate}/include/torch/csrc/api/include/torch/torch.h)
      set(${result} ${candidate} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

set(LibTorch_ROOT "")
set(LibTorch_REASON "")
if(FLEETMARK_TORCH STREQUAL "auto")
  libtorch_resolve(${LIBTORCH_VENV} LibTorch_ROOT)
  if(NOT LibTorch_ROOT)
    libtorch_resolve(/usr LibTorch_ROOT)
  endif()
  set(LibTorch_REASON "neither ${LIBTORCH_VENV} nor Debian's libtorch-dev is there")
elseif(FLEETMARK_TORCH STREQUAL "pip")
  libtorch_resolve(${LIBTORCH_VENV} LibTorch_ROOT)
  set(LibTorch_REASON "${LIBTORCH_VENV} does not hold PyTorch's wheel, which deploy/quickstart.sh installs there")
elseif(FLEETMARK_TORCH STREQUAL "apt")
  libtorch_resolve(/usr LibTorch_ROOT)
  set(LibTorch_REASON "libtorch-dev is not installed: apt-get install libtorch-dev libopenblas0-openmp")
elseif(FLEETMARK_TORCH STREQUAL "none" OR FLEETMARK_TORCH STREQUAL "")
  set(LibTorch_REASON "FLEETMARK_TORCH=none")
else()
  get_filename_component(LIBTORCH_PATH "${FLEETMARK_TORCH}" ABSOLUTE BASE_DIR ${CMAKE_BINARY_DIR})
  libtorch_resolve(${LIBTORCH_PATH} LibTorch_ROOT)
  if(NOT LibTorch_ROOT)
    message(FATAL_ERROR "FLEETMARK_TORCH=${FLEETMARK_TORCH} holds no LibTorch: include/torch/csrc/api is not under it")
  endif()
endif()

# The header with the version moved within 2.x.
set(LibTorch_VERSION "")
if(LibTorch_ROOT)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(NOT LibTorch_VERSION AND EXISTS ${LibTorch_ROOT}/include/${header})
      foreach(part MAJOR MINOR PATCH)
        file(STRINGS ${LibTorch_ROOT}/include/${header} line REGEX "#define TORCH_VERSION_${part} [0-9]+")
        string(REGEX REPLACE ".* ([0-9]+).*" "\\1" LIBTORCH_VERSION_${part} "${line}")
      endforeach()
      set(LibTorch_VERSION ${LIBTORCH_VERSION_MAJOR}.${LIBTORCH_VERSION_MINOR}.${LIBTORCH_VERSION_PATCH})
    endif()
  endforeach()
endif()

# Libraries. torch_cuda and c10_cuda register CUDA when they are loaded; nothing refers to them, hence no-as-needed.
set(LIBTORCH_LIBRARIES "")
if(LibTorch_ROOT)
  foreach(library torch torch_cpu c10 torch_cuda c10_cuda)
    find_library(LIBTORCH_LIBRARY_${library} ${library} PATHS ${LibTorch_ROOT}/lib
                 PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE} NO_DEFAULT_PATH NO_CACHE)
    if(LIBTORCH_LIBRARY_${library})
      list(APPEND LIBTORCH_LIBRARIES ${LIBTORCH_LIBRARY_${library}})
    elseif(NOT library MATCHES "cuda")
      message(FATAL_ERROR "LibTorch in ${LibTorch_ROOT} lacks lib${library}.so")
    endif()
  endforeach()
  # Wheels before 2.6 were built with GCC's old string ABI; mixing it with ours crashes or does not link.
  file(GLOB LIBTORCH_CONFIG ${LibTorch_ROOT}/share/cmake/Torch/TorchConfig.cmake)
  if(LIBTORCH_CONFIG)
    file(STRINGS ${LIBTORCH_CONFIG} old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
    if(old_abi)
      message(FATAL_ERROR "LibTorch in ${LibTorch_ROOT} was built with the old C++ ABI: use a cxx11-ABI build, "
                          "PyPI's 2.6 or newer")
    endif()
  endif()
endif()

include(FindPackageHandleStandardArgs)
set(FPHSA_NAME_MISMATCHED TRUE)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_ROOT LIBTORCH_LIBRARIES
                                  VERSION_VAR LibTorch_VERSION REASON_FAILURE_MESSAGE "${LibTorch_REASON}")
if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  if(LIBTORCH_LIBRARY_torch_cuda)
    set(LIBTORCH_KIND "with CUDA")
  else()
    set(LIBTORCH_KIND "CPU only")
  endif()
  message(STATUS "LibTorch ${LibTorch_VERSION} (${LIBTORCH_KIND}) from ${LibTorch_ROOT}")
  find_package(Threads REQUIRED)
  list(GET LIBTORCH_LIBRARIES 0 LIBTORCH_FIRST)
  get_filename_component(LIBTORCH_LIBRARY_DIRECTORY ${LIBTORCH_FIRST} DIRECTORY)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  # /usr/include itself is not named: as a system directory it would hide libstdc++'s include_next.
  if(LibTorch_ROOT STREQUAL "/usr")
    set(LIBTORCH_INCLUDES ${LibTorch_ROOT}/include/torch/csrc/api/include)
  else()
    set(LIBTORCH_INCLUDES ${LibTorch_ROOT}/include ${LibTorch_ROOT}/include/torch/csrc/api/include)
  endif()
  target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE ${LIBTORCH_INCLUDES})
  target_link_libraries(LibTorch::LibTorch INTERFACE -Wl,--push-state,--no-as-needed ${LIBTORCH_LIBRARIES}
                                                     -Wl,--pop-state Threads::Threads ${CMAKE_DL_LIBS})
  target_link_options(LibTorch::LibTorch INTERFACE -Wl,-rpath,${LIBTORCH_LIBRARY_DIRECTORY})
endif()
