// jemalloc's settings for all programs, overridden by MALLOC_CONF: an arena for each processor
// instead of four, memory given back within half a second, no large blocks kept by threads.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf =
    "percpu_arena:percpu,dirty_decay_ms:500,muzzy_decay_ms:0,tcache_max:4096";
}
