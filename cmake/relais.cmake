# The libraries, in the one order in which they may link each other: only earlier ones.
set(RELAIS_LIBRARY_ORDER
  result ids clock config metrics trace log async events http postgres kafka rest memcache
  objectstore outbox timers inbox host)

# What every target of ours gets.
function(relais_target target)
  target_link_libraries(${target} PUBLIC relais_options)
  target_compile_definitions(${target} PRIVATE BOOST_ASIO_SEPARATE_COMPILATION
    BOOST_BEAST_SEPARATE_COMPILATION)
  target_link_libraries(${target} PUBLIC relais_boost fmt::fmt)
  target_precompile_headers(${target} REUSE_FROM relais_pch)
endfunction()

# relais_library(name SOURCES a.cpp … LINK result ids … THIRD_PARTY OpenSSL::Crypto …)
# Stops the configure when the library links itself or a later one.
function(relais_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;THIRD_PARTY" ${ARGN})
  list(FIND RELAIS_LIBRARY_ORDER ${name} own_place)
  if(own_place EQUAL -1)
    message(FATAL_ERROR "libs/${name} is not in RELAIS_LIBRARY_ORDER (cmake/relais.cmake)")
  endif()
  add_library(relais_${name} STATIC ${arg_SOURCES})
  target_include_directories(relais_${name} PUBLIC "${CMAKE_SOURCE_DIR}/libs")
  foreach(other IN LISTS arg_LINK)
    list(FIND RELAIS_LIBRARY_ORDER ${other} place)
    if(place EQUAL -1 OR NOT place LESS own_place)
      message(FATAL_ERROR
        "libs/${name} may not link libs/${other}: it does not come before it in the order "
        "(cmake/relais.cmake). Move the code down, or turn the dependency around.")
    endif()
    target_link_libraries(relais_${name} PUBLIC relais_${other})
  endforeach()
  target_link_libraries(relais_${name} PRIVATE ${arg_THIRD_PARTY})
  relais_target(relais_${name})
endfunction()

# relais_service(name SOURCES … LINK host http … [PROTO] [THIRD_PARTY …])
# A service is a library and a main.cpp; its domain/ may be a separate target (relais_domain).
function(relais_service name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;THIRD_PARTY" ${ARGN})
  string(REPLACE "-" "_" id ${name})
  add_library(svc_${id} STATIC ${arg_SOURCES})
  target_include_directories(svc_${id} PUBLIC "${CMAKE_SOURCE_DIR}/libs" "${CMAKE_SOURCE_DIR}/services")
  foreach(other IN LISTS arg_LINK)
    target_link_libraries(svc_${id} PUBLIC relais_${other})
  endforeach()
  target_link_libraries(svc_${id} PRIVATE ${arg_THIRD_PARTY})
  relais_target(svc_${id})
  add_executable(relais-${name} main.cpp)
  target_link_libraries(relais-${name} PRIVATE svc_${id})
  relais_target(relais-${name})
  set_target_properties(relais-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  install(TARGETS relais-${name})
  relais_share("${CMAKE_CURRENT_SOURCE_DIR}/migrations" migrations/${name})
endfunction()

# relais_link_time_optimised(target …): where a call across files costs more than the time to link.
# Release only; every program that links the target pays.
function(relais_link_time_optimised)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE "$<$<CONFIG:Release>:-flto=thin>")
  endforeach()
endfunction()

# relais_domain(name SOURCES …): business rules of a service; sees std, result, ids and clock only.
function(relais_domain name)
  cmake_parse_arguments(arg "" "" "SOURCES;THIRD_PARTY" ${ARGN})
  string(REPLACE "-" "_" id ${name})
  add_library(svc_${id}_domain STATIC ${arg_SOURCES})
  target_include_directories(svc_${id}_domain PUBLIC
    "${CMAKE_SOURCE_DIR}/libs" "${CMAKE_SOURCE_DIR}/services")
  target_link_libraries(svc_${id}_domain PUBLIC relais_result relais_ids relais_clock)
  target_link_libraries(svc_${id}_domain PRIVATE ${arg_THIRD_PARTY})
  relais_target(svc_${id}_domain)
endfunction()

# relais_share(directory name): makes directory visible as share/relais/<name> beside the binaries,
# where the programs look for migrations and templates.
function(relais_share directory name)
  if(EXISTS "${directory}")
    get_filename_component(parent "${CMAKE_BINARY_DIR}/share/relais/${name}" DIRECTORY)
    file(MAKE_DIRECTORY "${parent}")
    file(CREATE_LINK "${directory}" "${CMAKE_BINARY_DIR}/share/relais/${name}" SYMBOLIC)
    install(DIRECTORY "${directory}/" DESTINATION "share/relais/${name}")
  endif()
endfunction()
