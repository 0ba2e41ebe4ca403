# Writes OUTPUT, which defines what converted_model_scripts.h declares.
set(source "// Written by write_scripts.cmake out of tools/models.\n")
string(APPEND source "#include \"cli/converted_model_scripts.h\"\n\nnamespace akidb::cli {\n\n")
foreach(entry kMultilingualE5Sh=multilingual_e5.sh kMultilingualE5Py=multilingual_e5.py
              kModelRequirements=requirements.txt)
  string(REPLACE "=" ";" entry "${entry}")
  list(GET entry 0 name)
  list(GET entry 1 file)
  file(READ "${SOURCE}/${file}" content)
  string(APPEND source "constinit const std::string_view ${name} = R\"script(${content})script\";\n\n")
endforeach()
string(APPEND source "}  // namespace akidb::cli\n")
file(WRITE "${OUTPUT}" "${source}")
