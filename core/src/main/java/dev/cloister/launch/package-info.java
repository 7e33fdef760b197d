/** Where launchers are put and how they are started. */
@NullMarked
package dev.cloister.launch;

import org.jspecify.annotations.NullMarked;
