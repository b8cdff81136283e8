#include "metrics/registry.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace relais::metrics {
namespace {

double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    double total_pages = 0;
    double resident_pages = 0;
    file >> total_pages >> resident_pages;
    return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double count_entries(const char* directory) {
    double count = 0;
    std::error_code failed;
    for (std::filesystem::directory_iterator it(directory, failed), end; !failed && it != end;
         it.increment(failed)) {
        ++count;
    }
    return count;
}

double unix_seconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

} // namespace

process_metrics::process_metrics(registry& metrics, std::string_view service,
                                 std::string_view version)
    : cpu_seconds_(metrics.gauge("process_cpu_seconds_total", "CPU time of this process")),
      resident_bytes_(metrics.gauge("process_resident_memory_bytes", "Memory in RAM")),
      open_files_(metrics.gauge("process_open_fds", "Open file descriptors")),
      max_files_(metrics.gauge("process_max_fds", "Limit of open file descriptors")),
      threads_(metrics.gauge("process_threads", "Threads")),
      wall_clock_(metrics.gauge("process_wall_clock_timestamp_seconds",
                                "What this process takes for the time, when it is asked")) {
    metrics
        .gauge("build_info", "1, with what is running as labels",
               {{"service", std::string(service)}, {"version", std::string(version)}})
        .set(1);
    metrics.gauge("process_start_time_seconds", "Unix time of the start").set(unix_seconds());
    update();
}

void process_metrics::update() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    cpu_seconds_.set(seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    resident_bytes_.set(resident_bytes());
    open_files_.set(count_entries("/proc/self/fd"));
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    max_files_.set(static_cast<double>(limit.rlim_cur));
    threads_.set(count_entries("/proc/self/task"));
    wall_clock_.set(unix_seconds());
}

} // namespace relais::metrics
