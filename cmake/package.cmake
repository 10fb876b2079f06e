# The public headers are those that src/installed.txt names. They keep their tree below include/headrace, and each
# api/x.h is reachable as <headrace/x.h>. The build tree offers the same through forwarding headers.
include(CMakePackageConfigHelpers)
set(forward_root ${PROJECT_BINARY_DIR}/include)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Headrace)

set(installed_headers)
if(EXISTS ${PROJECT_SOURCE_DIR}/src/installed.txt)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/installed.txt)
  file(STRINGS src/installed.txt installed_headers REGEX "^[^#]")
endif()

foreach(header ${installed_headers})
  get_filename_component(directory ${header} DIRECTORY)
  install(FILES src/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/headrace/${directory})
  string(REGEX REPLACE "^api/" "" public ${header})
  file(CONFIGURE OUTPUT ${forward_root}/headrace/${public} CONTENT "#include \"${header}\"  // IWYU pragma: export\n")
  if(NOT public STREQUAL header)
    get_filename_component(directory ${public} DIRECTORY)
    install(FILES ${forward_root}/headrace/${public} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/headrace/${directory})
  endif()
endforeach()

target_include_directories(headrace INTERFACE
    $<BUILD_INTERFACE:${forward_root}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/headrace>)
target_compile_features(headrace INTERFACE cxx_std_20)

install(TARGETS headrace EXPORT HeadraceTargets LIBRARY)
install(EXPORT HeadraceTargets NAMESPACE Headrace:: DESTINATION ${package_dir})
configure_package_config_file(cmake/HeadraceConfig.cmake.in ${PROJECT_BINARY_DIR}/HeadraceConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/HeadraceConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/HeadraceConfig.cmake ${PROJECT_BINARY_DIR}/HeadraceConfigVersion.cmake
        DESTINATION ${package_dir})
