set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

# Options structs are filled by designated initializers, so missing fields are the rule.
add_compile_options(-Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-restrict)  # GCC 12 and 13 see overlaps in std::string's operator+ that are not there
endif()
if(HEADRACE_WERROR)
  add_compile_options(-Werror)
endif()

if(HEADRACE_SANITIZE)
  add_compile_options(-fsanitize=${HEADRACE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # The checks of "undefined" that look at every pointer double the time to compile; AddressSanitizer sees most of what they see.
  add_compile_options(-fno-sanitize=vptr,null,alignment,object-size)
  add_link_options(-fsanitize=${HEADRACE_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-fno-omit-frame-pointer)
endif()

# `cmake --install` strips as `cmake --install --strip` would; the build tree keeps its line tables.
if(HEADRACE_STRIP AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  install(CODE "set(CMAKE_INSTALL_DO_STRIP TRUE)")
endif()

find_program(HEADRACE_CCACHE ccache)
if(HEADRACE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HEADRACE_CCACHE})
endif()

find_program(HEADRACE_MOLD mold)
if(HEADRACE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
