/** Turns a program of system calls into a static executable, without an assembler or linker. */
@NullMarked
package dev.cloister.machine;

import org.jspecify.annotations.NullMarked;
