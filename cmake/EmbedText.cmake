# fleetmark_embed_text(OUTPUT ARRAY FILE...): a header with `ARRAY`, for each file the stem of its name and its text, in the
# order given.
function(fleetmark_embed_text OUTPUT ARRAY)
  set(TEXT "#pragma once\n\n#include <string_view>\n#include <utility>\n\nnamespace fleetmark {\n")
  string(APPEND TEXT "inline constexpr std::pair<std::string_view, const char*> ${ARRAY}[] = {\n")
  foreach(FILE ${ARGN})
    file(READ ${FILE} CONTENT)
    get_filename_component(NAME ${FILE} NAME_WE)
    string(APPEND TEXT "{\"${NAME}\", R\"embedded(${CONTENT})embedded\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${FILE})
  endforeach()
  string(APPEND TEXT "};\n}  // namespace fleetmark\n")
  file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "${TEXT}" @ONLY)
endfunction()
