/** The strategies Cloister ships with, in order of preference. */
@NullMarked
package dev.cloister.strategies;

import org.jspecify.annotations.NullMarked;
