# Where every third-party library comes from: Debian's packages, but for four that Debian 12 has only
# in versions we cannot use. Those live in a prefix that deploy/setup builds; where Debian has them
# (13), the prefix is /usr and they are shared libraries (see deploy/setup --print-prefix).
if(NOT RELAIS_DEPS)
  execute_process(
    COMMAND "${CMAKE_SOURCE_DIR}/deploy/setup" --print-prefix
    OUTPUT_VARIABLE RELAIS_DEPS OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()
set(RELAIS_DEPS "${RELAIS_DEPS}" CACHE PATH "Prefix of the libraries that deploy/setup builds" FORCE)
list(PREPEND CMAKE_PREFIX_PATH "${RELAIS_DEPS}")

# Boost is found by its own files; CMake's module for it is going away.
if(POLICY CMP0167)
  cmake_policy(SET CMP0167 NEW)
endif()
set(CMAKE_THREAD_PREFER_PTHREAD ON)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(Protobuf 3.21 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(Catch2 3.7 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(prometheus_core REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips-cpp)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-i18n icu-uc)
pkg_check_modules(idn2 REQUIRED IMPORTED_TARGET libidn2)
pkg_check_modules(pq REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(brotlienc REQUIRED IMPORTED_TARGET libbrotlienc)
pkg_check_modules(brotlidec REQUIRED IMPORTED_TARGET libbrotlidec)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)

# One of the four. The archive of a prefix of ours comes with what it needs at link time; Debian's
# shared library knows that by itself.
function(relais_prefix_library name archive)
  if(RELAIS_DEPS STREQUAL "/usr")
    string(REGEX REPLACE "^lib|[.]a$" "" shared "${archive}")
    find_library(${name}_library NAMES ${shared} REQUIRED)
    add_library(${name} SHARED IMPORTED GLOBAL)
    set_target_properties(${name} PROPERTIES IMPORTED_LOCATION "${${name}_library}")
    target_link_libraries(${name} INTERFACE OpenSSL::SSL OpenSSL::Crypto Boost::headers)
    return()
  endif()
  find_library(${name}_archive NAMES ${archive} PATHS "${RELAIS_DEPS}/lib" NO_DEFAULT_PATH REQUIRED)
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION "${${name}_archive}")
  target_include_directories(${name} SYSTEM INTERFACE "${RELAIS_DEPS}/include")
  target_link_libraries(${name} INTERFACE ${ARGN})
endfunction()

find_library(lz4 NAMES lz4 REQUIRED)
find_library(zstd NAMES zstd REQUIRED)
find_library(zlib NAMES z REQUIRED)
relais_prefix_library(rdkafka librdkafka.a OpenSSL::SSL OpenSSL::Crypto ${lz4} ${zstd} ${zlib}
  Threads::Threads ${CMAKE_DL_LIBS} m)
relais_prefix_library(pqxx libpqxx.a PkgConfig::pq)
relais_prefix_library(cpprest libcpprest.a OpenSSL::SSL OpenSSL::Crypto ${zlib} Threads::Threads
  Boost::headers)

# Asio, Beast and JSON are compiled once, here, instead of in every file that includes them.
# Never BOOST_ASIO_NO_DEPRECATED: it changes what functions return (BOOST_ASIO_SYNC_OP_VOID) but not
# their symbols, and cpprestsdk, which shares them in one program, needs the deprecated names.
add_library(relais_boost STATIC "${CMAKE_SOURCE_DIR}/cmake/boost_separate.cpp")
target_compile_definitions(relais_boost PUBLIC
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(relais_boost PUBLIC
  Boost::headers Boost::json Boost::url OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
