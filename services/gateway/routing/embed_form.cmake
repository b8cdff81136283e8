# Writes the descriptor set INPUT as the C++ of route_form.hpp to OUTPUT.
file(READ "${INPUT}" bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" text "${bytes}")
# Lines that a compiler takes: 32 bytes each.
string(REGEX REPLACE
  "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?(\\\\x[0-9a-f][0-9a-f])?)"
  "\\1\"\n    \"" text "${text}")
file(WRITE "${OUTPUT}" "#include \"gateway/routing/route_form.hpp\"\n
namespace relais::gateway {\n
std::string_view route_form() {
    static const char bytes[] = \"${text}\";
    return {bytes, ${size}};
}\n
} // namespace relais::gateway\n")
