# The Python package: the native module _headrace over libheadrace.so, beside the Python files of python/headrace. In the build
# tree the package stands in build/<preset>/python (its Python files are links), so that PYTHONPATH there imports it.
option(HEADRACE_PYTHON "Build the Python package" OFF)
if(NOT HEADRACE_PYTHON)
  return()
endif()

set(sabi)
if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.26)
  set(sabi OPTIONAL_COMPONENTS Development.SABIModule)
endif()
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module ${sabi})
execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir OUTPUT_STRIP_TRAILING_WHITESPACE
                OUTPUT_VARIABLE nanobind_ROOT COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)

file(GLOB binding_sources CONFIGURE_DEPENDS python/bindings/*.cc)
nanobind_add_module(_headrace STABLE_ABI NB_STATIC LTO ${binding_sources})
target_include_directories(_headrace PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/python/bindings)
target_link_libraries(_headrace PRIVATE headrace)
set(python_package ${PROJECT_BINARY_DIR}/python/headrace)
set_target_properties(_headrace PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${python_package} INSTALL_RPATH "$ORIGIN")

file(GLOB package_entries RELATIVE ${PROJECT_SOURCE_DIR}/python/headrace CONFIGURE_DEPENDS python/headrace/*)
file(MAKE_DIRECTORY ${python_package})
foreach(entry ${package_entries})
  if(NOT entry STREQUAL "__pycache__")
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/python/headrace/${entry} ${python_package}/${entry} SYMBOLIC)
  endif()
endforeach()

# The message schemas, for Python's own messages.
add_custom_command(
    OUTPUT ${python_package}/schemas.bin
    COMMAND protobuf::protoc -Iheadrace/proto=${PROJECT_SOURCE_DIR}/proto --include_imports
            --descriptor_set_out=${python_package}/schemas.bin ${proto_files}
    DEPENDS ${proto_files} VERBATIM)
add_custom_target(python_schemas ALL DEPENDS ${python_package}/schemas.bin)
add_dependencies(_headrace python_schemas)

# Type stubs for what Python makes at run time. They stand apart, since the folders of the package are links. (pip's build
# environment is on the PYTHONPATH too.)
set(stubs ${PROJECT_BINARY_DIR}/python/stubs)
file(GLOB_RECURSE package_sources CONFIGURE_DEPENDS python/headrace/*.py)
add_custom_command(
    OUTPUT ${stubs}/headrace/raw_ops.pyi
    COMMAND ${CMAKE_COMMAND} -E env --modify PYTHONPATH=path_list_prepend:${PROJECT_BINARY_DIR}/python
            ${Python_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tools/make_stubs.py ${stubs}
    DEPENDS _headrace headrace ${package_sources} ${PROJECT_SOURCE_DIR}/tools/make_stubs.py VERBATIM)
add_custom_target(python_stubs ALL DEPENDS ${stubs}/headrace/raw_ops.pyi)

# What a wheel adds to the Python files. A wheel holds no links, so there the library has one name.
if(SKBUILD)
  set_property(TARGET headrace PROPERTY VERSION)
  set_property(TARGET headrace PROPERTY SOVERSION)
  set_property(TARGET headrace_cli APPEND PROPERTY INSTALL_RPATH "$ORIGIN/..")
  install(PROGRAMS python/scripts/headrace DESTINATION ${SKBUILD_SCRIPTS_DIR} COMPONENT python)
  install(TARGETS _headrace headrace LIBRARY DESTINATION headrace COMPONENT python)
  install(TARGETS headrace_cli RUNTIME DESTINATION headrace/bin COMPONENT python)
  install(FILES ${python_package}/schemas.bin DESTINATION headrace COMPONENT python)
  install(DIRECTORY ${stubs}/headrace DESTINATION . COMPONENT python FILES_MATCHING PATTERN "*.pyi")
endif()
