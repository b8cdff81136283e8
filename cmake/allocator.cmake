# Which memory allocator long-running programs have: jemalloc, linked into them, when they are not
# sanitized (sanitizers bring their own). glibc's loses a third of the event backbone's time to what
# one thread allocates and another one frees (libs/README.md).
if(NOT RELAIS_SANITIZE)
  find_library(RELAIS_JEMALLOC libjemalloc_pic.a REQUIRED)
endif()

function(relais_allocator target)
  if(NOT RELAIS_SANITIZE)
    target_sources(${target} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/allocator.cpp")
    target_link_libraries(${target} PRIVATE ${RELAIS_JEMALLOC})
  endif()
endfunction()
