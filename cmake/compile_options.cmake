# One interface target carries what every file of ours is compiled with.
option(RELAIS_WARNINGS_AS_ERRORS "Fail on warnings" OFF)
option(RELAIS_HARDEN "Hardening flags (checked on the binaries by tests/tidy)" OFF)
set(RELAIS_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")

add_library(relais_options INTERFACE)
target_compile_features(relais_options INTERFACE cxx_std_23)
target_compile_options(relais_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wnull-dereference -Wimplicit-fallthrough -Wextra-semi -Wno-missing-field-initializers
  -Wno-missing-designated-field-initializers
  "$<$<BOOL:${RELAIS_WARNINGS_AS_ERRORS}>:-Werror>"
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
set(CMAKE_CXX_EXTENSIONS OFF)
# Not CMAKE_POSITION_INDEPENDENT_CODE: it would give programs -fPIE, and they share the precompiled
# header of the libraries, which has to be compiled the same way.
add_compile_options(-fPIC)
add_link_options(-fuse-ld=lld -Wl,--as-needed)

# -g1 keeps line numbers for stack traces at a third of the size; the sanitized build is not
# optimised, because compile time is its budget.
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")

if(RELAIS_SANITIZE)
  add_compile_options(-fsanitize=${RELAIS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RELAIS_SANITIZE})
endif()

if(RELAIS_HARDEN)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_GLIBCXX_ASSERTIONS
    -fstack-protector-strong -fstack-clash-protection -fcf-protection)
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

# Headers that most files need, compiled once and shared by every target. ccache may keep files that
# use them because the time stamp stays out of the header (deploy/dev/build.sh has its settings).
# CMake would also name the header in plain form, by a path that differs from clone to clone.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
add_library(relais_pch OBJECT "${CMAKE_SOURCE_DIR}/cmake/pch.cpp")
target_link_libraries(relais_pch PUBLIC relais_options relais_boost fmt::fmt)
target_precompile_headers(relais_pch PRIVATE
  <algorithm> <array> <atomic> <chrono> <cstdint> <deque> <expected> <functional> <map> <memory>
  <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>
  <fmt/format.h> <boost/asio/awaitable.hpp> <boost/asio/co_spawn.hpp> <boost/asio/io_context.hpp>
  <boost/asio/post.hpp> <boost/asio/steady_timer.hpp> <boost/asio/use_awaitable.hpp>)
target_compile_options(relais_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
