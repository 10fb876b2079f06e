# Everything comes from the distribution. Rooms may use these libraries only inside the fences that tools/check_rooms knows.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED MODULE)
find_package(gRPC REQUIRED CONFIG)
find_package(fmt REQUIRED CONFIG)
find_package(CLI11 REQUIRED CONFIG)
find_package(nlohmann_json REQUIRED CONFIG)
find_package(Snappy REQUIRED CONFIG)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
find_path(HEADRACE_FARMHASH_INCLUDE farmhash.h REQUIRED)
find_library(HEADRACE_FARMHASH farmhash REQUIRED)
# oneDNN's own CMake package asks for OpenCL, which we do not use.
find_path(HEADRACE_DNNL_INCLUDE dnnl.hpp REQUIRED)
find_library(HEADRACE_DNNL dnnl REQUIRED)
find_library(HEADRACE_TCMALLOC tcmalloc_minimal)
if(BUILD_TESTING)
  find_package(GTest REQUIRED CONFIG)
endif()
find_package(benchmark QUIET CONFIG)

add_library(headrace_dependencies INTERFACE)
target_include_directories(headrace_dependencies INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated
                           ${HEADRACE_DNNL_INCLUDE})
target_link_libraries(headrace_dependencies INTERFACE
    gRPC::grpc++ protobuf::libprotobuf fmt::fmt nlohmann_json::nlohmann_json Snappy::snappy
    PNG::PNG JPEG::JPEG PkgConfig::ISAL PkgConfig::HWY PkgConfig::RE2 ${HEADRACE_FARMHASH} ${HEADRACE_DNNL} Threads::Threads ${CMAKE_DL_LIBS})
