/** What a sandbox costs, next to what its peers cost, in one run. */
@NullMarked
package dev.cloister.benchmarks;

import org.jspecify.annotations.NullMarked;
