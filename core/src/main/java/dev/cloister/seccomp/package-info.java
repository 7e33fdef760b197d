/**
 * Seccomp filters: programs of the classic BPF machine, checked, assembled, and the default one.
 */
@NullMarked
package dev.cloister.seccomp;

import org.jspecify.annotations.NullMarked;
