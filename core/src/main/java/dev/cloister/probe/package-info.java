/** Finds out what a host allows by doing it in a child process. */
@NullMarked
package dev.cloister.probe;

import org.jspecify.annotations.NullMarked;
