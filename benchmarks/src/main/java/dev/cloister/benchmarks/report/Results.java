package dev.cloister.benchmarks.report;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * All of one set: what was measured in turn, in one run.
 *
 * @param set its name, and that of its file
 * @param unit of all figures
 * @param axis what variants are, such as "binds"; empty if there are none
 * @param references the subjects that others are compared with
 */
public record Results(
    String set,
    String unit,
    String axis,
    List<String> references,
    Environment environment,
    List<Measurement> measurements,
    List<LeftOut> leftOut) {
  public Results {
    references = List.copyOf(references);
    measurements = List.copyOf(measurements);
    leftOut = List.copyOf(leftOut);
  }

  /** In the order in which they were measured. */
  public List<String> subjects() {
    return measurements.stream().map(Measurement::subject).distinct().toList();
  }

  /** In the order in which they were measured. */
  public List<String> variants() {
    return measurements.stream().map(Measurement::variant).distinct().toList();
  }

  public Optional<Measurement> find(String subject, String variant) {
    return measurements.stream()
        .filter(it -> it.subject().equals(subject) && it.variant().equals(variant))
        .findFirst();
  }

  /** The median of one by that of another; nothing if either is missing. */
  public OptionalDouble ratio(Cell one, Cell other) {
    Optional<Measurement> above = find(one.subject(), one.variant());
    Optional<Measurement> below = find(other.subject(), other.variant());
    if (above.isEmpty() || below.isEmpty() || below.get().median() == 0) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(above.get().median() / below.get().median());
  }

  /** Where a figure is. */
  public record Cell(String subject, String variant) {
    public static Cell of(String subject) {
      return new Cell(subject, "");
    }
  }
}
