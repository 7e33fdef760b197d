/** Interchangeable ways to make a sandbox, what they guarantee, and the choice between them. */
@NullMarked
package dev.cloister.strategy;

import org.jspecify.annotations.NullMarked;
