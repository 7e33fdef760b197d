/*
 * The kernel's own struct sigaction, the one rt_sigaction(2) takes. It has the same name as
 * glibc's and another layout, so it cannot be in linux.h.
 */
#include <asm/signal.h>
