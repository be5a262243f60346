/* The low-level API of libfuse 3.12 and later. The macro must come before the include. */
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
