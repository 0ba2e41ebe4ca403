# gRPC and protobuf, linked statically where the system ships the archives, and the dialect's messages
# and services, compiled from the package that scripts/fetch_protos.sh fetches.

# akidb_find_grpc(): the target akidb_grpc_library. pkg-config knows the closure, but takes a minute
# to tell it (it walks Abseil's graph path by path); an archive too many costs nothing instead.
# Archives refer to each other in circles.
function(akidb_find_grpc)
  set(files)
  foreach(name grpc++_reflection grpc++ grpc gpr address_sorting re2 upb cares z protobuf)
    find_library(AKIDB_LIB_GRPC_${name} NAMES lib${name}.a ${name})
    if(AKIDB_LIB_GRPC_${name})
      list(APPEND files ${AKIDB_LIB_GRPC_${name}})
    endif()
  endforeach()
  if(NOT AKIDB_LIB_GRPC_grpc++ OR NOT AKIDB_LIB_GRPC_protobuf)
    message(FATAL_ERROR "gRPC or protobuf is missing: scripts/install_deps.sh installs them.")
  endif()
  get_filename_component(folder ${AKIDB_LIB_GRPC_grpc++} DIRECTORY)
  file(GLOB abseil ${folder}/libabsl_*.a)
  list(FILTER abseil EXCLUDE REGEX "libabsl_flags_")
  add_library(akidb_grpc_library INTERFACE IMPORTED GLOBAL)
  target_link_libraries(akidb_grpc_library INTERFACE
    -Wl,--start-group ${files} ${abseil} -Wl,--end-group akidb_ssl Threads::Threads ${CMAKE_DL_LIBS} rt)
endfunction()

# akidb_dialect_protos(): the library akidb_dialect_protos. Generated code keeps its authors' style, so
# warnings don't hold for it.
function(akidb_dialect_protos)
  find_program(AKIDB_PROTOC protoc REQUIRED)
  find_program(AKIDB_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
  set(folder ${CMAKE_SOURCE_DIR}/build/packages)
  execute_process(COMMAND bash ${CMAKE_SOURCE_DIR}/scripts/fetch_protos.sh ${folder} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "The dialect's protos could not be fetched: run scripts/fetch_protos.sh where "
                        "there is a network.")
  endif()
  set(unpacked ${CMAKE_BINARY_DIR}/dialect_protos)
  file(ARCHIVE_EXTRACT INPUT ${folder}/qdrant_client-1.20.0-py3-none-any.whl DESTINATION ${unpacked}
       PATTERNS "qdrant_client/proto/*")
  set(protos ${unpacked}/qdrant_client/proto)
  set(generated ${CMAKE_BINARY_DIR}/dialect_protos/generated)
  file(MAKE_DIRECTORY ${generated})
  set(sources)
  foreach(name qdrant_common json_with_int collections points)
    list(APPEND messages ${name}.proto)
    list(APPEND sources ${generated}/${name}.pb.cc)
  endforeach()
  foreach(name qdrant collections_service points_service snapshots_service)
    list(APPEND services ${name}.proto)
    list(APPEND sources ${generated}/${name}.pb.cc ${generated}/${name}.grpc.pb.cc)
  endforeach()
  add_custom_command(
    OUTPUT ${sources}
    COMMAND ${AKIDB_PROTOC} -I ${protos} --cpp_out=${generated} ${messages}
    COMMAND ${AKIDB_PROTOC} -I ${protos} --cpp_out=${generated} --grpc_out=${generated}
            --plugin=protoc-gen-grpc=${AKIDB_GRPC_PLUGIN} ${services}
    DEPENDS ${folder}/qdrant_client-1.20.0-py3-none-any.whl
    WORKING_DIRECTORY ${protos}
    COMMENT "Generating the dialect's messages and services")
  add_library(akidb_dialect_protos STATIC ${sources})
  target_compile_options(akidb_dialect_protos PRIVATE -w -O2)
  target_include_directories(akidb_dialect_protos SYSTEM PUBLIC ${generated})
  target_link_libraries(akidb_dialect_protos PUBLIC akidb_grpc_library)
endfunction()

# akidb_own_protos(): the library akidb_own_protos, of proto/.
function(akidb_own_protos)
  find_program(AKIDB_PROTOC protoc REQUIRED)
  set(generated ${CMAKE_BINARY_DIR}/own_protos)
  file(MAKE_DIRECTORY ${generated})
  set(proto akidb/v1/akidb)
  add_custom_command(
    OUTPUT ${generated}/${proto}.pb.cc ${generated}/${proto}.pb.h
    COMMAND ${AKIDB_PROTOC} -I ${CMAKE_SOURCE_DIR}/proto --cpp_out=${generated} ${proto}.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/${proto}.proto
    COMMENT "Generating our own messages")
  add_library(akidb_own_protos STATIC ${generated}/${proto}.pb.cc)
  target_compile_options(akidb_own_protos PRIVATE -w -O2)
  target_include_directories(akidb_own_protos SYSTEM PUBLIC ${generated})
  target_link_libraries(akidb_own_protos PUBLIC akidb_grpc_library)
endfunction()
