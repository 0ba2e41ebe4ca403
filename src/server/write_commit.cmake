# cmake -DSOURCE=dir -DOUTPUT=file -P write_commit.cmake: the commit as a string literal. The file is
# touched only when it changes, so that nothing is compiled anew without need.
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

set(text "\"${commit}\"\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${OUTPUT} "${text}")
endif()
