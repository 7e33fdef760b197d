/** Figures once they are measured: as JSON, as tables, as charts. Nothing here measures. */
@NullMarked
package dev.cloister.benchmarks.report;

import org.jspecify.annotations.NullMarked;
