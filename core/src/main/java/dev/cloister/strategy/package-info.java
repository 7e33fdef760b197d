/** Interchangeable ways to make a sandbox, and the choice between them. */
@NullMarked
package dev.cloister.strategy;

import org.jspecify.annotations.NullMarked;
