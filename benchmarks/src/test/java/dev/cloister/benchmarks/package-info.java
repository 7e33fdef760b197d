@NullMarked
package dev.cloister.benchmarks;

import org.jspecify.annotations.NullMarked;
