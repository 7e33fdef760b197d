/** The sandbox made by an installed bubblewrap, for hosts where only that may. */
@NullMarked
package dev.cloister.strategies.bwrap;

import org.jspecify.annotations.NullMarked;
