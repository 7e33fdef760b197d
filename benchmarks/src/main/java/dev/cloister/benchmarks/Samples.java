package dev.cloister.benchmarks;

import dev.cloister.benchmarks.report.Environment;
import dev.cloister.benchmarks.report.LeftOut;
import dev.cloister.benchmarks.report.Measurement;
import dev.cloister.benchmarks.report.Results;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The results of one set, as they come. Used by one thread. */
final class Samples {
  private final String set;
  private final String unit;
  private final String axis;
  private final Environment environment;
  private final List<Measurement> measurements = new ArrayList<>();
  private final List<LeftOut> leftOut = new ArrayList<>();
  private List<String> references = List.of();

  Samples(String set, String unit, String axis, Environment environment) {
    this.set = set;
    this.unit = unit;
    this.axis = axis;
    this.environment = environment;
  }

  Samples comparedWith(String... subjects) {
    references = List.of(subjects);
    return this;
  }

  void add(String subject, String variant, Collection<Double> samples) {
    double[] values = samples.stream().mapToDouble(Double::doubleValue).toArray();
    measurements.add(Measurement.of(subject, variant, values));
  }

  void leaveOut(String subject, String reason) {
    leftOut.add(new LeftOut(subject, reason));
  }

  Results results() {
    return new Results(set, unit, axis, references, environment, measurements, leftOut);
  }
}
