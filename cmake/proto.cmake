# proto/x.proto is compiled as "headrace/proto/x.proto": that is how .proto files import each other, and
# #include "headrace/proto/x.pb.h" is how C++ includes the result.
file(GLOB proto_files CONFIGURE_DEPENDS proto/*.proto)
set(proto_root ${PROJECT_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${proto_root})

set(proto_sources)
set(proto_headers)
foreach(file ${proto_files})
  get_filename_component(name ${file} NAME_WE)
  set(stem ${proto_root}/headrace/proto/${name}.pb)
  add_custom_command(
      OUTPUT ${stem}.cc ${stem}.h
      COMMAND protobuf::protoc -Iheadrace/proto=${PROJECT_SOURCE_DIR}/proto --cpp_out=${proto_root} ${file}
      DEPENDS ${proto_files} VERBATIM)
  list(APPEND proto_sources ${stem}.cc)
  list(APPEND proto_headers ${stem}.h)
endforeach()

add_custom_target(headrace_proto_headers DEPENDS ${proto_headers})
set(headrace_proto_objects)
if(proto_sources)
  add_library(headrace_proto OBJECT ${proto_sources})
  target_link_libraries(headrace_proto PRIVATE headrace_dependencies)
  target_compile_options(headrace_proto PRIVATE -w -O1)
  if(HEADRACE_SANITIZE MATCHES "address")  # not thread: its happens-before edges must be seen everywhere
    target_compile_options(headrace_proto PRIVATE -fno-sanitize=all)
  endif()
  set(headrace_proto_objects $<TARGET_OBJECTS:headrace_proto>)
endif()
