/// What ThreadSanitizer is told about libraries that are not instrumented: it does not see the
/// atomic counters by which cpprestsdk's tasks hand memory from thread to thread.
extern "C" const char* __tsan_default_suppressions() { // NOLINT(bugprone-reserved-identifier)
    return "race:pplx\n";
}
