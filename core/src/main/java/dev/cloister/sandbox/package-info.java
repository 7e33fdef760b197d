/**
 * Sandboxed processes for Java programs: a {@link dev.cloister.sandbox.Sandbox}, built once and
 * used from any thread, starts commands as {@link java.lang.ProcessBuilder} does.
 */
@NullMarked
package dev.cloister.sandbox;

import org.jspecify.annotations.NullMarked;
