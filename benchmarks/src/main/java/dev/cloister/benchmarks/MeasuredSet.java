package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Results;

/** Measurements that belong together: taken in turn, in one run, and kept in one file. */
interface MeasuredSet {
  /** As in the file's name. */
  String name();

  Results measure(Workplace workplace) throws Exception;
}
