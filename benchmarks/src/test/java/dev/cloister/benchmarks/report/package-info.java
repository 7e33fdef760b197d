@NullMarked
package dev.cloister.benchmarks.report;

import org.jspecify.annotations.NullMarked;
