# cmake -DSOURCE=dir -DOUTPUT=file -P write_commit.cmake: writes the file that defines Commit().
# It is touched only when the commit changes, so that nothing is compiled anew without need.
set(commit "0000000000000000000000000000000000000000")
find_program(git git)
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE} rev-parse HEAD
                  OUTPUT_VARIABLE found RESULT_VARIABLE failed ERROR_QUIET
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(LENGTH "${found}" length)
  if(NOT failed AND length EQUAL 40)
    set(commit ${found})
  endif()
endif()

set(text "#include \"server/build_info.h\"

namespace akidb::server {

std::string_view Commit() { return \"${commit}\"; }

}  // namespace akidb::server
")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT "${text}" STREQUAL "${old}")
  file(WRITE ${OUTPUT} "${text}")
endif()
