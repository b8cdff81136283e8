# cmake -D FOLDER=… -D OUTPUT=… -P assemble.cmake
# Puts the parts of the OpenAPI document together and writes them as a C++ source, so that the program
# serves exactly what is in this folder. Each part is a JSON object; the members of all files of one
# kind make one object.

function(read_members out)
  set(all "")
  foreach(name IN LISTS ARGN)
    file(READ "${FOLDER}/${name}.json" text)
    string(STRIP "${text}" text)
    string(LENGTH "${text}" length)
    math(EXPR inner "${length} - 2")
    string(SUBSTRING "${text}" 1 ${inner} text)
    if(NOT all STREQUAL "")
      string(APPEND all ",")
    endif()
    string(APPEND all "${text}")
  endforeach()
  set(${out} "${all}" PARENT_SCOPE)
endfunction()

read_members(document document)
read_members(paths paths_accounts paths_sessions paths_profiles paths_market paths_campaigns
  paths_meta)
read_members(components components)
read_members(schemas schemas_common schemas_accounts schemas_market schemas_campaigns)

file(WRITE "${OUTPUT}.new" "#include \"web-api/openapi/document.hpp\"

namespace relais::web_api {

std::string_view openapi_document() {
    return R\"openapi({${document},\"paths\":{${paths}},\"components\":{${components},\"schemas\":{${schemas}}}})openapi\";
}

} // namespace relais::web_api
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
