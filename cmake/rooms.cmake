# Every source below src/ belongs to the library, except tests (*_test.cc), their helpers (*testing.cc) and the CLI.
file(GLOB_RECURSE all_sources CONFIGURE_DEPENDS src/*.cc)
set(room_sources ${all_sources})
list(FILTER room_sources EXCLUDE REGEX "(_test|testing)\\.cc$|/src/cli/")
set(test_sources ${all_sources})
list(FILTER test_sources INCLUDE REGEX "_test\\.cc$")
set(testing_sources ${all_sources})
list(FILTER testing_sources INCLUDE REGEX "testing\\.cc$")

set(version_source ${PROJECT_BINARY_DIR}/generated/version.cc)
configure_file(cmake/version.cc.in ${version_source} @ONLY)

add_library(headrace_objects OBJECT ${version_source} ${room_sources})
target_link_libraries(headrace_objects PRIVATE headrace_dependencies)
add_dependencies(headrace_objects headrace_proto_headers)
set(library_objects $<TARGET_OBJECTS:headrace_objects> ${headrace_proto_objects})

# The product: hidden symbols, except what HR_EXPORT marks.
add_library(headrace SHARED ${library_objects})
add_library(Headrace::headrace ALIAS headrace)
target_link_libraries(headrace PRIVATE headrace_dependencies)
set_target_properties(headrace PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

if(HEADRACE_WERROR AND NOT HEADRACE_SANITIZE)
  target_link_options(headrace PRIVATE -Wl,-z,defs)  # nothing may be missing
endif()

# The same objects for tests and benchmarks, which may see hidden symbols.
add_library(headrace_static STATIC ${library_objects})
target_link_libraries(headrace_static PUBLIC headrace_dependencies)
add_dependencies(headrace_static headrace_proto_headers)
set_target_properties(headrace_static PROPERTIES LINKER_LANGUAGE CXX)

if(NOT BUILD_TESTING)
  return()
endif()

add_library(headrace_testing INTERFACE)
target_link_libraries(headrace_testing INTERFACE headrace_static GTest::gmock_main)
if(testing_sources)
  add_library(headrace_testing_helpers STATIC ${testing_sources})
  target_link_libraries(headrace_testing_helpers PUBLIC headrace_static GTest::gmock)
  target_link_libraries(headrace_testing INTERFACE headrace_testing_helpers)
endif()

add_custom_target(unit_tests)

# headrace_test(NAME SOURCE...): a test program that runs with the repository's root as its working directory.
function(headrace_test name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE headrace_testing)
  if(HEADRACE_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)  # long lists of expectations take the optimiser as long as all else together
  endif()
  add_dependencies(unit_tests ${name})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()

# One test program for each room; the room "ops" has one for each family.
foreach(source ${test_sources})
  file(RELATIVE_PATH path ${PROJECT_SOURCE_DIR}/src ${source})
  string(REGEX MATCH "^(ops/[^/]+/|[^/]+/)" room ${path})
  string(REGEX REPLACE "/$" "" room ${room})
  string(REPLACE "/" "_" room ${room})
  list(APPEND test_rooms ${room})
  list(APPEND ${room}_tests ${source})
endforeach()
list(REMOVE_DUPLICATES test_rooms)
foreach(room ${test_rooms})
  headrace_test(${room}_test ${${room}_tests})
endforeach()
