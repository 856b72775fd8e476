#pragma once

// Put before a function whose loops are worth the widest vectors that the machine has: the compiler makes one copy for
// each set of instructions and the loader picks. Sanitizers cannot take part in that choice, which comes before their
// start.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define FLEETMARK_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FLEETMARK_VECTORISED
#endif
