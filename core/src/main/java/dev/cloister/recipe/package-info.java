/** The building blocks of strategies: parts of programs, each a list of instructions. */
@NullMarked
package dev.cloister.recipe;

import org.jspecify.annotations.NullMarked;
