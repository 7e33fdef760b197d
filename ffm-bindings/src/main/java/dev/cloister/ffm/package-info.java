/**
 * Linux as Cloister needs it: the numbers programs are made of, and a thin layer of safe system
 * calls.
 *
 * <p>The first part ({@link dev.cloister.ffm.SystemCall}, {@link dev.cloister.ffm.LinuxConstant},
 * {@link dev.cloister.ffm.LinuxStruct}, {@link dev.cloister.ffm.Errno}) calls nothing. The rest
 * calls glibc through the Foreign Function and Memory API.
 */
@NullMarked
package dev.cloister.ffm;

import org.jspecify.annotations.NullMarked;
