/** Programs of system calls as data: what a launcher will do, before it is machine code. */
@NullMarked
package dev.cloister.program;

import org.jspecify.annotations.NullMarked;
